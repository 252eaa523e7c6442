//! Columns to the core's types. A value that does not parse was not written by this program.

use std::str::FromStr;

use lockstep_core::digest::{Blake2b256, Md5, Sha256};
use lockstep_core::filename::DistFilename;
use lockstep_core::serial::Serial;
use lockstep_core::status::Yanked;
use tokio_postgres::Row;

use crate::StoreError;

fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(column.to_owned())
}

pub(crate) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: &str,
) -> Result<T, StoreError> {
    row.try_get(column).map_err(|_| corrupt(column))
}

pub(crate) fn parsed<T: FromStr>(row: &Row, column: &str) -> Result<T, StoreError> {
    get::<&str>(row, column)?
        .parse()
        .map_err(|_| corrupt(column))
}

pub(crate) fn parsed_option<T: FromStr>(row: &Row, column: &str) -> Result<Option<T>, StoreError> {
    get::<Option<&str>>(row, column)?
        .map(|text| text.parse().map_err(|_| corrupt(column)))
        .transpose()
}

pub(crate) fn serial(row: &Row, column: &str) -> Result<Serial, StoreError> {
    serial_option(row, column)?.ok_or_else(|| corrupt(column))
}

pub(crate) fn serial_option(row: &Row, column: &str) -> Result<Option<Serial>, StoreError> {
    get::<Option<i64>>(row, column)?
        .map(|number| Serial::from_column(number).ok_or_else(|| corrupt(column)))
        .transpose()
}

pub(crate) fn size(row: &Row, column: &str) -> Result<u64, StoreError> {
    u64::try_from(get::<i64>(row, column)?).map_err(|_| corrupt(column))
}

pub(crate) fn sha256(row: &Row, column: &str) -> Result<Sha256, StoreError> {
    sha256_option(row, column)?.ok_or_else(|| corrupt(column))
}

pub(crate) fn sha256_option(row: &Row, column: &str) -> Result<Option<Sha256>, StoreError> {
    get::<Option<&[u8]>>(row, column)?
        .map(|bytes| Sha256::from_bytes(bytes).ok_or_else(|| corrupt(column)))
        .transpose()
}

pub(crate) fn blake2b_256(row: &Row, column: &str) -> Result<Blake2b256, StoreError> {
    Blake2b256::from_bytes(get(row, column)?).ok_or_else(|| corrupt(column))
}

pub(crate) fn md5(row: &Row, column: &str) -> Result<Md5, StoreError> {
    Md5::from_bytes(get(row, column)?).ok_or_else(|| corrupt(column))
}

pub(crate) fn filename(row: &Row) -> Result<DistFilename, StoreError> {
    Ok(DistFilename::from_stored(get(row, "filename")?))
}

pub(crate) fn yanked(row: &Row) -> Result<Yanked, StoreError> {
    Ok(if get(row, "yanked")? {
        Yanked::Yes(parsed_option(row, "yanked_reason")?)
    } else {
        Yanked::No
    })
}

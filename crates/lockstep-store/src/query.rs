//! One statement of `sql/queries`, prepared once per connection and run.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::StoreError;

/// Anything a statement can run on: a connection or a transaction.
pub trait Client: deadpool_postgres::GenericClient + Sync {}
impl<T: deadpool_postgres::GenericClient + Sync> Client for T {}

/// A statement with its place below `sql/queries`.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// `area/verb`.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

macro_rules! queries {
    ($($constant:ident = $name:literal;)*) => {
        $(pub(crate) const $constant: Query = Query {
            name: $name,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../../sql/queries/", $name, ".sql"
            )),
        };)*
        /// Every statement, for the test that prepares each of them.
        pub const QUERIES: &[Query] = &[$($constant),*];
    };
}

queries! {
    INDEX_IDENTITY = "index/identity";
    INDEX_FIX_FILES_URL = "index/fix_files_url";
    PROJECTS_CREATE = "projects/create";
    PROJECTS_LOCK = "projects/lock";
    PROJECTS_SET_STATUS = "projects/set_status";
    PROJECTS_STANDING = "projects/standing";
    PROJECTS_FILES = "projects/files";
    PROJECTS_LIST_AT = "projects/list_at";
    PROJECTS_AFTER = "projects/after";
    PROJECTS_CHANGED_AFTER = "projects/changed_after";
    PROJECTS_COUNT = "projects/count";
    PROJECTS_BEHIND = "projects/behind";
    PROJECTS_COUNT_BEHIND = "projects/count_behind";
    CATALOG_NEW_RELEASES = "catalog/new_releases";
    CATALOG_NEW_PROJECTS = "catalog/new_projects";
    CATALOG_RELEASES_OF_PROJECT = "catalog/releases_of_project";
    CATALOG_SEARCH = "catalog/search";
    CATALOG_ABOUT = "catalog/about";
    CATALOG_VERSIONS = "catalog/versions";
    CATALOG_METADATA = "catalog/metadata";
    CATALOG_HISTORY = "catalog/history";
    CATALOG_SIZE = "catalog/size";
    RELEASES_FIND = "releases/find";
    RELEASES_CREATE = "releases/create";
    RELEASES_SET_YANKED = "releases/set_yanked";
    RELEASES_REMOVE = "releases/remove";
    RELEASES_REMOVE_ALL = "releases/remove_all";
    RELEASES_OF_PROJECT = "releases/of_project";
    FILES_FIND = "files/find";
    FILES_REGISTER_NAME = "files/register_name";
    FILES_CREATE = "files/create";
    FILES_REMOVE = "files/remove";
    FILES_REMOVE_OF_RELEASE = "files/remove_of_release";
    FILES_REMOVE_OF_PROJECT = "files/remove_of_project";
    FILES_OF_PROJECT = "files/of_project";
    FILES_AFTER = "files/after";
    FILES_COUNT = "files/count";
    FILES_WEIGH = "files/weigh";
    PROVENANCES_CREATE = "provenances/create";
    PROVENANCES_FIND = "provenances/find";
    PROJECTS_SNAPSHOT_AT = "projects/snapshot_at";
    PROJECTS_STATE_AT = "projects/state_at";
    STATES_COLLECT = "states/collect";
    OUTBOX_COLLECT = "outbox/collect";
    BLOBS_CONDEMN = "blobs/condemn";
    BLOBS_PARDON = "blobs/pardon";
    BLOBS_DUE = "blobs/due";
    BLOBS_NAMED = "blobs/named";
    BLOBS_FORGET = "blobs/forget";
    STATES_CREATE = "states/create";
    FRESH_SINCE = "fresh/since";
    FRESH_PROJECT = "fresh/project";
    CHANGELOG_TAKE_SERIALS = "changelog/take_serials";
    CHANGELOG_APPEND = "changelog/append";
    CHANGELOG_SINCE = "changelog/since";
    CHANGELOG_ROW = "changelog/row";
    CHANGELOG_CONTENT = "changelog/content";
    CHANGELOG_FIRST_GAP = "changelog/first_gap";
    CHANGELOG_BEYOND = "changelog/beyond";
    CHANGELOG_FILL_LOST = "changelog/fill_lost";
    CHANGELOG_LAST_LOST = "changelog/last_lost";
    CHANGELOG_PAGE_AT = "changelog/page_at";
    CHANGELOG_PAGES_OF_PROJECT = "changelog/pages_of_project";
    EDGE_CHECKS_TAKE = "edge_checks/take";
    CHANGELOG_LAST_OF_PROJECT = "changelog/last_of_project";
    PAGES_CURRENT = "pages/current";
    PAGES_BY_HASH = "pages/by_hash";
    PAGES_KNOWN = "pages/known";
    WATERMARKS_READ = "watermarks/read";
    WATERMARKS_ADVANCE = "watermarks/advance";
    WATERMARKS_COMMITTED = "watermarks/committed";
    ANNOUNCEMENTS_NOTE = "announcements/note";
    ANNOUNCEMENTS_BY_TIME = "announcements/by_time";
    OUTBOX_SETTLE_PURGED = "outbox/settle_purged";
    OUTBOX_SETTLE_VERIFIED = "outbox/settle_verified";
    OUTBOX_QUEUE = "outbox/queue";
    OUTBOX_BACKLOG = "outbox/backlog";
    OUTBOX_OPEN = "outbox/open";
    PURGES_CLAIM = "purges/claim";
    PURGES_ACKNOWLEDGE = "purges/acknowledge";
    PURGES_FAIL = "purges/fail";
    PURGES_RELEASE = "purges/release";
    PURGES_NEXT_DUE = "purges/next_due";
    PURGES_REPEAT = "purges/repeat";
    PROBES_REGISTER = "probes/register";
    PROBES_FORGET = "probes/forget";
    PROBES_RECORD_SEEN = "probes/record_seen";
    PROBES_RECORD_FAILURE = "probes/record_failure";
    VERIFICATIONS_CLAIM = "verifications/claim";
    VERIFICATIONS_SEEN = "verifications/seen";
    VERIFICATIONS_PUT_OFF = "verifications/put_off";
    VERIFICATIONS_RELEASE = "verifications/release";
    VERIFICATIONS_NEXT_DUE = "verifications/next_due";
    TARGETS_REGISTER = "targets/register";
    TARGETS_FORGET = "targets/forget";
    TARGETS_RECORD_SUCCESS = "targets/record_success";
    TARGETS_RECORD_FAILURE = "targets/record_failure";
    TOKENS_CREATE = "tokens/create";
    TOKENS_REPLACE = "tokens/replace";
    TOKENS_USE = "tokens/use";
    TOKENS_LIST = "tokens/list";
    TOKENS_REVOKE = "tokens/revoke";
    UPLOAD_BUDGETS_TAKE = "upload_budgets/take";
    UPLOAD_BUDGETS_LOOK = "upload_budgets/look";
    UPLOAD_BUDGETS_GIVE_BACK = "upload_budgets/give_back";
    SCHEMA_LOCK = "schema/lock";
    SCHEMA_NO_TIMEOUT = "schema/no_timeout";
    SCHEMA_VERSION = "schema/version";
}

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// All rows.
pub(crate) async fn rows(
    client: &impl Client,
    query: Query,
    parameters: Parameters<'_>,
) -> Result<Vec<Row>, StoreError> {
    let statement = client.prepare_cached(query.text).await?;
    Ok(client.query(&statement, parameters).await?)
}

/// The row, where there is one.
pub(crate) async fn row(
    client: &impl Client,
    query: Query,
    parameters: Parameters<'_>,
) -> Result<Option<Row>, StoreError> {
    let statement = client.prepare_cached(query.text).await?;
    Ok(client.query_opt(&statement, parameters).await?)
}

/// The row that must be there.
pub(crate) async fn one(
    client: &impl Client,
    query: Query,
    parameters: Parameters<'_>,
) -> Result<Row, StoreError> {
    let statement = client.prepare_cached(query.text).await?;
    Ok(client.query_one(&statement, parameters).await?)
}

/// Runs for effect; how many rows it touched.
pub(crate) async fn execute(
    client: &impl Client,
    query: Query,
    parameters: Parameters<'_>,
) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(query.text).await?;
    Ok(client.execute(&statement, parameters).await?)
}

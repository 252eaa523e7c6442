//! File names of distributions: wheels (PEP 427) and source distributions (PEP 625), and how
//! they say which project and version the file is of.
//!
//! Not here: what is in the file. Which platforms a wheel may be for is in `filename/platform.rs`.
//!
//! Invariant: a [`DistFilename`] is one path segment of plain ASCII without separators or
//! control characters, so it cannot leave its directory or break a header or a page.

mod platform;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::name::{NormalizedName, ProjectName};
use crate::version::Version;

/// The longest file name accepted, in bytes; common file systems take no more.
const LONGEST: usize = 255;
const WHEEL_SUFFIX: &str = ".whl";
const SDIST_SUFFIX: &str = ".tar.gz";

/// A text that does not name a kind of distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a file type: expected `sdist` or `bdist_wheel`")]
pub struct DistKindError(String);

/// The kinds of distribution the index takes: source distributions (PEP 625) and wheels
/// (PEP 427).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DistKind {
    /// A source distribution, `.tar.gz` (PEP 625).
    Sdist,
    /// A wheel, `.whl` (PEP 427).
    Wheel,
}

impl DistKind {
    /// The name of the kind in upload forms and the JSON API.
    pub fn packagetype(self) -> &'static str {
        match self {
            Self::Sdist => "sdist",
            Self::Wheel => "bdist_wheel",
        }
    }
}

impl FromStr for DistKind {
    type Err = DistKindError;

    fn from_str(text: &str) -> Result<Self, DistKindError> {
        match text {
            "sdist" => Ok(Self::Sdist),
            "bdist_wheel" => Ok(Self::Wheel),
            _ => Err(DistKindError(text.chars().take(140).collect())),
        }
    }
}

/// A file name that cannot be that of the project's distribution (PEP 427, PEP 625).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    /// Longer than file systems take.
    #[error("A file name of {0} bytes is too long: expected at most {LONGEST}")]
    TooLong(usize),
    /// Characters that are dangerous in a path, a page or a header.
    #[error(
        "File name `{0}` has other characters than ASCII letters, digits, `.`, `_`, `+`, `!` \
         and `-`"
    )]
    Characters(String),
    /// Neither a wheel nor a source distribution.
    #[error(
        "File name `{0}` is of no accepted kind: expected `.whl` for a wheel or `.tar.gz` for a \
         source distribution"
    )]
    Kind(String),
    /// The parts between the dashes are not what they must be.
    #[error("File name `{seen}` is malformed: {expected}")]
    Parts {
        /// The file name.
        seen: String,
        /// What is expected.
        expected: &'static str,
    },
    /// A well-formed name, of another project.
    #[error(
        "File name `{seen}` is not that of project `{project}`: expected it to begin with \
         `{}-`, but it begins with `{part}-`", .project.escaped()
    )]
    OtherProject {
        /// The file name.
        seen: String,
        /// Its name part.
        part: String,
        /// The project uploaded to.
        project: NormalizedName,
    },
    /// A well-formed name, of another version.
    #[error("File name `{seen}` is not that of version `{version}`: its version part is `{part}`")]
    OtherVersion {
        /// The file name.
        seen: String,
        /// Its version part.
        part: String,
        /// The version uploaded to.
        version: Version,
    },
    /// The right project and version, in an older spelling.
    #[error("File name `{seen}` is not in its normal form: expected `{expected}`")]
    Spelling {
        /// The file name.
        seen: DistFilename,
        /// The one with the normalized name, and for a source distribution the normalized version.
        expected: String,
    },
    /// A wheel for a platform that is not known.
    #[error(
        "File name `{seen}` has the platform tag `{tag}`: expected `any` or a known platform such \
         as `manylinux_2_28_x86_64`, `musllinux_1_2_aarch64`, `macosx_11_0_arm64` or `win_amd64`"
    )]
    Platform {
        /// The file name.
        seen: DistFilename,
        /// Its tag.
        tag: String,
    },
}

/// The file name of a wheel (PEP 427) or a source distribution (PEP 625), known to be of the
/// project and version it was parsed for. Ordered bytewise.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct DistFilename(String);

impl DistFilename {
    /// Reads the file name of a distribution of `project` and `version` (PEP 427, PEP 625).
    ///
    /// Old spellings of the name (dots, dashes, capitals) and of the version are accepted as
    /// long as they mean the same.
    pub fn parse(
        text: &str,
        project: &NormalizedName,
        version: &Version,
    ) -> Result<Self, FilenameError> {
        let filename: Self = text.parse()?;
        let malformed = |expected| FilenameError::Parts {
            seen: text.to_owned(),
            expected,
        };
        let (name_part, version_part) = if let Some(stem) = text.strip_suffix(WHEEL_SUFFIX) {
            wheel_parts(stem).map_err(malformed)?
        } else {
            let stem = text.strip_suffix(SDIST_SUFFIX).unwrap_or(text);
            stem.rsplit_once('-').ok_or_else(|| {
                malformed("a source distribution is named `<name>-<version>.tar.gz`")
            })?
        };

        let is_project = |name: ProjectName| name.normalized() == *project;
        if !name_part.parse().is_ok_and(is_project) {
            return Err(FilenameError::OtherProject {
                seen: text.to_owned(),
                part: name_part.to_owned(),
                project: project.clone(),
            });
        }
        let is_version = |part: Version| part.is_same_release_as(version);
        if !version_part.parse().is_ok_and(is_version) {
            return Err(FilenameError::OtherVersion {
                seen: text.to_owned(),
                part: version_part.to_owned(),
                version: version.clone(),
            });
        }
        Ok(filename)
    }

    /// Refuses what a new file may not have although older ones do: a name part other than the
    /// normalized one, a source distribution's version in another spelling (PEP 625), and platform
    /// tags that are not known.
    pub fn check_normal(
        &self,
        project: &NormalizedName,
        version: &Version,
    ) -> Result<(), FilenameError> {
        let name = project.escaped();
        let expected = match self.kind() {
            DistKind::Sdist => format!("{name}-{version}{SDIST_SUFFIX}"),
            // A wheel's name part has no dash.
            DistKind::Wheel => match self.0.split_once('-') {
                Some((_, rest)) => format!("{name}-{rest}"),
                None => name,
            },
        };
        if self.0 != expected {
            let seen = self.clone();
            return Err(FilenameError::Spelling { seen, expected });
        }
        let tags = self.platform_tags();
        match tags.into_iter().find(|tag| !platform::is_known(tag)) {
            None => Ok(()),
            Some(tag) => Err(FilenameError::Platform {
                tag: tag.to_owned(),
                seen: self.clone(),
            }),
        }
    }

    /// `<name>-<version>` as the file name spells them.
    pub fn name_and_version(&self) -> &str {
        match self.kind() {
            DistKind::Sdist => self.0.strip_suffix(SDIST_SUFFIX).unwrap_or(&self.0),
            DistKind::Wheel => match self.0.match_indices('-').nth(1) {
                Some((second, _)) => &self.0[..second],
                None => &self.0,
            },
        }
    }

    /// The platforms of a wheel; none for a source distribution.
    fn platform_tags(&self) -> Vec<&str> {
        let stem = self.0.strip_suffix(WHEEL_SUFFIX);
        let tags = stem.and_then(|stem| stem.rsplit('-').next());
        tags.map_or_else(Vec::new, |tags| tags.split('.').collect())
    }

    /// The file name in `text`, for text that passed [`DistFilename::parse`] when stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The file name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which kind of distribution the file is.
    pub fn kind(&self) -> DistKind {
        if self.0.ends_with(WHEEL_SUFFIX) {
            DistKind::Wheel
        } else {
            DistKind::Sdist
        }
    }

    /// The Python tag of a wheel (PEP 425), as in `py3`, `cp312` or `py2.py3`; `source` for a
    /// source distribution.
    pub fn python_version_tag(&self) -> &str {
        match self.kind() {
            DistKind::Sdist => "source",
            // The last three parts are always the tags, with or without a build number.
            DistKind::Wheel => self.0.rsplit('-').nth(2).unwrap_or_default(),
        }
    }

    /// The file name as a segment of a URL: everything outside the unreserved characters of
    /// RFC 3986 percent-encoded. `+` is, because servers differ on whether it means a space.
    pub fn url_path(&self) -> Cow<'_, str> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if self.0.bytes().all(unreserved) {
            return Cow::Borrowed(&self.0);
        }
        let mut encoded = String::with_capacity(self.0.len() + 8);
        for byte in self.0.bytes() {
            if unreserved(byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push('%');
                encoded.push_str(&hex::encode_upper([byte]));
            }
        }
        Cow::Owned(encoded)
    }
}

/// A name to look a file up by, not held against a project and a version: see
/// [`DistFilename::parse`] for one to be stored.
impl FromStr for DistFilename {
    type Err = FilenameError;

    fn from_str(text: &str) -> Result<Self, FilenameError> {
        if text.len() > LONGEST {
            return Err(FilenameError::TooLong(text.len()));
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._+!-".contains(&b))
        {
            return Err(FilenameError::Characters(text.to_owned()));
        }
        if ![WHEEL_SUFFIX, SDIST_SUFFIX]
            .iter()
            .any(|it| text.ends_with(it))
        {
            return Err(FilenameError::Kind(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The project that a distribution's file name speaks of, when nobody says which: the part before the
/// first dash that a version follows (PEP 427, PEP 625). `None` for what is no distribution.
pub fn project_of(text: &str) -> Option<ProjectName> {
    if let Some(stem) = text.strip_suffix(WHEEL_SUFFIX) {
        return wheel_parts(stem).ok()?.0.parse().ok();
    }
    let stem = text.strip_suffix(SDIST_SUFFIX)?;
    let mut dashes = stem.match_indices('-');
    let (dash, _) = dashes.find(|(dash, _)| stem[dash + 1..].parse::<Version>().is_ok())?;
    stem[..dash].parse().ok()
}

/// The name and version parts of a wheel's file name without its suffix (PEP 427), or what is
/// expected of it.
fn wheel_parts(stem: &str) -> Result<(&str, &str), &'static str> {
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version, build, tags) = match parts[..] {
        [name, version, ref tags @ ..] if tags.len() == 3 => (name, version, None, tags),
        [name, version, build, ref tags @ ..] if tags.len() == 3 => {
            (name, version, Some(build), tags)
        }
        _ => {
            return Err(
                "a wheel is named `<name>-<version>[-<build>]-<python>-<abi>-<platform>.whl`",
            );
        }
    };
    if name.contains("__") {
        return Err("a wheel's name part has single underscores only");
    }
    if build.is_some_and(|build| !build.starts_with(|c: char| c.is_ascii_digit())) {
        return Err("a wheel's build number begins with a digit");
    }
    let is_tag =
        |tag: &str| !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !tags.iter().all(|set| set.split('.').all(is_tag)) {
        return Err(
            "a wheel's three tags are of letters, digits and `_`, with dots between alternatives",
        );
    }
    Ok((name, version))
}

impl fmt::Display for DistFilename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;

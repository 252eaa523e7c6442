//! Where the links of pages lead, and what must be there.

use std::path::PathBuf;

use lockstep_core::digest::Sha256;
use reqwest::Url;

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// To an address.
    At(Url),
    /// To a file of the folder, from its `web` on.
    In(PathBuf),
    /// To files that this mirror leaves to another place on purpose.
    Elsewhere,
    /// To nothing that can be a file of a mirror, and why.
    Nowhere(String),
}

impl Place {
    /// Where the metadata document of the file here is (PEP 658).
    #[must_use]
    pub fn metadata(&self) -> Self {
        match self {
            Self::At(url) => {
                let mut url = url.clone();
                url.set_path(&format!("{}.metadata", url.path()));
                Self::At(url)
            }
            Self::In(path) => {
                let mut path = path.clone().into_os_string();
                path.push(".metadata");
                Self::In(path.into())
            }
            other => other.clone(),
        }
    }
}

/// What a file must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its hash.
    pub sha256: Sha256,
    /// Its length, where that is known.
    pub size: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_beside_the_file() {
        let url = |text: &str| Place::At(text.parse().expect("a URL"));
        let file = url("http://pop/packages/a/six-1.0.whl?token=1");
        assert_eq!(
            file.metadata(),
            url("http://pop/packages/a/six-1.0.whl.metadata?token=1")
        );
        let file = Place::In("packages/a/six-1.0.whl".into());
        assert_eq!(
            file.metadata(),
            Place::In("packages/a/six-1.0.whl.metadata".into())
        );
    }
}

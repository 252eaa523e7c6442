//! Core metadata: what a release says of itself in its METADATA or PKG-INFO file (PEP 566 and
//! its successors, up to PEP 794).
//!
//! What an index demands beyond the file format is in `metadata/rules.rs`.
//!
//! Invariant: no text in a parsed [`CoreMetadata`] has a control character, except for line
//! breaks and tabs in the description and the licence, so all of it can be stored and served.

mod fields;
mod requirement;

mod address;
mod classifier;
mod description;
mod license;
mod rules;

mod error;

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::ProjectName;
use crate::version::{RequiresPython, Version};

use error::METADATA_VERSIONS;
pub use error::MetadataError;
use fields::{Document, FIELDS};

/// The core metadata of a release (PEP 566 and its successors), in the form in which it is
/// stored. Texts are as given, apart from white space around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreMetadata {
    /// `Metadata-Version` (PEP 241).
    pub metadata_version: String,
    /// `Name` (PEP 241), as its owner spells it.
    pub name: ProjectName,
    /// `Version` (PEP 241).
    pub version: Version,
    /// `Summary` (PEP 241), one line.
    #[serde(default)]
    pub summary: Option<String>,
    /// `Description` (PEP 241), or the body of the document (PEP 566).
    #[serde(default)]
    pub description: Option<String>,
    /// `Description-Content-Type` (PEP 566).
    #[serde(default)]
    pub description_content_type: Option<String>,
    /// `Home-page` (PEP 241).
    #[serde(default)]
    pub home_page: Option<String>,
    /// `Download-URL` (PEP 314).
    #[serde(default)]
    pub download_url: Option<String>,
    /// `Author` (PEP 241).
    #[serde(default)]
    pub author: Option<String>,
    /// `Author-email` (PEP 241).
    #[serde(default)]
    pub author_email: Option<String>,
    /// `Maintainer` (PEP 345).
    #[serde(default)]
    pub maintainer: Option<String>,
    /// `Maintainer-email` (PEP 345).
    #[serde(default)]
    pub maintainer_email: Option<String>,
    /// `License` (PEP 241), which may be of several lines.
    #[serde(default)]
    pub license: Option<String>,
    /// `License-Expression` (PEP 639).
    #[serde(default)]
    pub license_expression: Option<String>,
    /// `Requires-Python` (PEP 345).
    #[serde(default)]
    pub requires_python: Option<RequiresPython>,
    /// `Keywords` (PEP 241), one text as given.
    #[serde(default)]
    pub keywords: Option<String>,
    /// `Classifier` (PEP 314).
    #[serde(default)]
    pub classifiers: Vec<String>,
    /// `Dynamic` (PEP 643).
    #[serde(default)]
    pub dynamic: Vec<String>,
    /// `License-File` (PEP 639).
    #[serde(default)]
    pub license_files: Vec<String>,
    /// `Platform` (PEP 241).
    #[serde(default)]
    pub platforms: Vec<String>,
    /// `Supported-Platform` (PEP 314).
    #[serde(default)]
    pub supported_platforms: Vec<String>,
    /// `Requires-Dist` (PEP 345), each with the syntax of PEP 508.
    #[serde(default)]
    pub requires_dist: Vec<String>,
    /// `Provides-Dist` (PEP 345).
    #[serde(default)]
    pub provides_dist: Vec<String>,
    /// `Obsoletes-Dist` (PEP 345).
    #[serde(default)]
    pub obsoletes_dist: Vec<String>,
    /// `Requires-External` (PEP 345).
    #[serde(default)]
    pub requires_external: Vec<String>,
    /// `Provides-Extra` (PEP 566).
    #[serde(default)]
    pub provides_extra: Vec<String>,
    /// `Requires` (PEP 314), superseded.
    #[serde(default)]
    pub requires: Vec<String>,
    /// `Provides` (PEP 314), superseded.
    #[serde(default)]
    pub provides: Vec<String>,
    /// `Obsoletes` (PEP 314), superseded.
    #[serde(default)]
    pub obsoletes: Vec<String>,
    /// `Import-Name` (PEP 794); a single empty text says that nothing can be imported.
    #[serde(default)]
    pub import_names: Vec<String>,
    /// `Import-Namespace` (PEP 794).
    #[serde(default)]
    pub import_namespaces: Vec<String>,
    /// `Project-URL` (PEP 345): labels and URLs in the order given, each label once.
    #[serde(default)]
    pub project_urls: Vec<(String, String)>,
}

impl CoreMetadata {
    /// The metadata of a release that says nothing but the three required fields (PEP 241).
    pub fn new(metadata_version: String, name: ProjectName, version: Version) -> Self {
        Self {
            metadata_version,
            name,
            version,
            summary: None,
            description: None,
            description_content_type: None,
            home_page: None,
            download_url: None,
            author: None,
            author_email: None,
            maintainer: None,
            maintainer_email: None,
            license: None,
            license_expression: None,
            requires_python: None,
            keywords: None,
            classifiers: Vec::new(),
            dynamic: Vec::new(),
            license_files: Vec::new(),
            platforms: Vec::new(),
            supported_platforms: Vec::new(),
            requires_dist: Vec::new(),
            provides_dist: Vec::new(),
            obsoletes_dist: Vec::new(),
            requires_external: Vec::new(),
            provides_extra: Vec::new(),
            requires: Vec::new(),
            provides: Vec::new(),
            obsoletes: Vec::new(),
            import_names: Vec::new(),
            import_namespaces: Vec::new(),
            project_urls: Vec::new(),
        }
    }

    /// Reads a METADATA or PKG-INFO document of any version (PEP 566 and its successors).
    ///
    /// Fields without a value, or with the value `UNKNOWN` that old tools wrote for one, count
    /// as absent; fields that are not known are ignored. The caller limits the size.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        let mut document = Document::read(bytes)?;

        // First of all, as the meaning of the rest depends on it.
        let metadata_version = document.required("Metadata-Version")?;
        metadata_version.parse::<MetadataVersion>()?;
        let name = document.required("Name")?.parse::<ProjectName>()?;
        let version = document.required("Version")?.parse::<Version>()?;

        Ok(Self {
            summary: document.single("Summary")?,
            description: document.description()?,
            description_content_type: document.single("Description-Content-Type")?,
            home_page: document.single("Home-page")?,
            download_url: document.single("Download-URL")?,
            author: document.single("Author")?,
            author_email: document.single("Author-email")?,
            maintainer: document.single("Maintainer")?,
            maintainer_email: document.single("Maintainer-email")?,
            license: document.single("License")?,
            license_expression: document.single("License-Expression")?,
            requires_python: document
                .single("Requires-Python")?
                .map(RequiresPython::try_from)
                .transpose()?,
            keywords: document.single("Keywords")?,
            classifiers: document.all("Classifier"),
            dynamic: document.all_checked(
                "Dynamic",
                "a field other than the required ones",
                |name| {
                    let required = ["Metadata-Version", "Name", "Version"];
                    let is_name = |field: &&str| field.eq_ignore_ascii_case(name);
                    FIELDS.iter().any(is_name) && !required.iter().any(is_name)
                },
            )?,
            license_files: document.all("License-File"),
            platforms: document.all("Platform"),
            supported_platforms: document.all("Supported-Platform"),
            requires_dist: document.all_checked(
                "Requires-Dist",
                "a requirement by PEP 508, such as `name[extra]>=1.0; python_version < \"3.9\"`",
                requirement::is_requirement,
            )?,
            provides_dist: document.all("Provides-Dist"),
            obsoletes_dist: document.all("Obsoletes-Dist"),
            requires_external: document.all("Requires-External"),
            provides_extra: document.all_checked(
                "Provides-Extra",
                "letters, digits, `.`, `_` and `-`, beginning and ending with a letter or digit",
                requirement::is_identifier,
            )?,
            requires: document.all("Requires"),
            provides: document.all("Provides"),
            obsoletes: document.all("Obsoletes"),
            import_names: document.all("Import-Name"),
            import_namespaces: document.all("Import-Namespace"),
            project_urls: project_urls(document.all("Project-URL"))?,
            ..Self::new(metadata_version, name, version)
        })
    }
}

/// A version of the format that is known. What is stored is the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataVersion;

impl FromStr for MetadataVersion {
    type Err = MetadataError;

    fn from_str(text: &str) -> Result<Self, MetadataError> {
        if METADATA_VERSIONS.contains(&text) {
            Ok(Self)
        } else {
            let seen = text.chars().take(140).collect();
            Err(MetadataError::MetadataVersion { seen })
        }
    }
}

/// Labels and URLs of the field `Project-URL` (PEP 345).
fn project_urls(values: Vec<String>) -> Result<Vec<(String, String)>, MetadataError> {
    let mut labels = BTreeSet::new();
    let mut urls = Vec::with_capacity(values.len());
    for value in &values {
        let pair = value.split_once(',');
        let pair = pair.map(|(label, url)| (label.trim(), url.trim()));
        // The JSON API serves them as an object, in which a second URL would hide the first.
        let Some((label, url)) = pair.filter(|(label, _)| labels.insert(*label)) else {
            let expected = "`label, URL` with each label once";
            return Err(MetadataError::value("Project-URL", value, expected));
        };
        urls.push((label.to_owned(), url.to_owned()));
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<CoreMetadata, MetadataError> {
        CoreMetadata::parse(text.as_bytes())
    }

    fn message(text: &str) -> String {
        let required = "Metadata-Version: 2.4\nName: a\nVersion: 1\n";
        parse(&format!("{required}{text}"))
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn refusals_name_the_field_and_what_is_expected() {
        assert_eq!(
            parse("Metadata-Version: 2.0\nName: a\nVersion: 1\n")
                .expect_err("2.0")
                .to_string(),
            "Metadata-Version `2.0` is not known: expected one of 1.0, 1.1, 1.2, 2.1, 2.2, 2.3, \
             2.4, 2.5"
        );
        assert_eq!(
            parse("Metadata-Version: 2.1\nVersion: 1\n")
                .expect_err("no name")
                .to_string(),
            "The metadata has no field Name, which is required"
        );
        assert_eq!(
            message("Summary: a\nSummary: b\n"),
            "The metadata has the field Summary more than once: expected one"
        );
        assert_eq!(
            message("Dynamic: Version\n"),
            "`Version` is not a value of the metadata field Dynamic: expected a field other than \
             the required ones"
        );
        assert_eq!(
            message("Author: a\u{7}\n"),
            "The metadata field Author contains the control character '\\u{7}'"
        );
        assert_eq!(
            message("\nText\0\n"),
            "The metadata field Description contains the control character '\\0'"
        );
        assert_eq!(
            message("No field\n"),
            "Line 4 of the metadata is not a field: expected `Name: value`"
        );
        assert_eq!(
            CoreMetadata::parse(b"Name: \xff")
                .expect_err("bytes")
                .to_string(),
            "The metadata is not UTF-8: the byte at offset 6 is not expected there"
        );
    }

    #[test]
    fn unknown_empty_and_wrapped_values_are_read_as_meant() {
        let metadata = parse(
            "metadata-version: 1.1\r\nNAME: a\r\nVersion: 1\r\nLicense: UNKNOWN\r\nPlatform: \
             UNKNOWN\r\nHome-page:\r\nKeywords: one,\r\n\ttwo\r\nX-Other: x\r\n",
        )
        .expect("a document");
        assert_eq!(metadata.keywords.as_deref(), Some("one, two"));
        let expected = CoreMetadata {
            keywords: metadata.keywords.clone(),
            ..CoreMetadata::new(
                "1.1".to_owned(),
                metadata.name.clone(),
                metadata.version.clone(),
            )
        };
        assert_eq!(metadata, expected);
    }

    #[test]
    fn a_description_field_loses_the_indentation_it_was_given() {
        for indent in ["        ", "       |"] {
            let metadata = parse(&format!(
                "Metadata-Version: 1.0\nName: a\nVersion: 1\nDescription: Title\n{indent}=====\n\
                 {indent}\n{indent}  code\n{indent}\n"
            ))
            .expect("a document");
            assert_eq!(
                metadata.description.as_deref(),
                Some("Title\n=====\n\n  code")
            );
        }
    }

    #[test]
    fn a_form_feed_in_a_description_is_a_line_break() {
        let metadata = parse("Metadata-Version: 2.1\nName: a\nVersion: 1\n\nOne\n\u{c}\nTwo\n");
        let description = metadata.expect("a document").description;
        assert_eq!(description.as_deref(), Some("One\n\n\nTwo\n"));
    }

    #[test]
    fn rows_stored_before_a_field_existed_still_load() {
        let row = r#"{"metadata_version": "2.1", "name": "a", "version": "1.0"}"#;
        let metadata: CoreMetadata = serde_json::from_str(row).expect("an old row");
        let stored = serde_json::to_string(&metadata).expect("a row");
        assert_eq!(
            serde_json::from_str::<CoreMetadata>(&stored).expect("a new row"),
            metadata
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(
            bytes in any::<Vec<u8>>(),
            tail in "((Requires-Dist|Description|Project-URL|Import-Name): [ -~é]{0,30}\n[ \t]?){0,4}\\PC{0,40}",
        ) {
            let _ = CoreMetadata::parse(&bytes);
            let mut document = b"Metadata-Version: 2.5\nName: a\nVersion: 1\n".to_vec();
            document.extend_from_slice(tail.as_bytes());
            let _ = CoreMetadata::parse(&document);
            document.extend_from_slice(&bytes);
            if let Ok(metadata) = CoreMetadata::parse(&document) {
                let text = serde_json::to_string(&metadata).expect("serializable");
                prop_assert_eq!(serde_json::from_str::<CoreMetadata>(&text).expect("read back"), metadata);
            }
        }
    }
}

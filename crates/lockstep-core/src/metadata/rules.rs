//! What an index demands of metadata beyond their form: addresses that are addresses, known
//! classifiers, licences that are licences, dependencies that an index can serve.
//!
//! Not here: what the document's form demands; that is [`CoreMetadata::parse`]. Releases stored
//! before a rule existed are not judged again.
//!
//! Invariant: the first fault is told, in the alphabetical order of the fields after those that a
//! later version of the format brought.

use std::collections::BTreeSet;

use super::error::METADATA_VERSIONS;
use super::{CoreMetadata, MetadataError, address, classifier, description, license, requirement};
use crate::name::ProjectName;

/// The longest `Summary`, in characters.
const LONGEST_LINE: usize = 512;
/// The longest label of a `Project-URL`, in characters.
const LONGEST_LABEL: usize = 32;

const WEB_URL: &str = "a URL that begins with `https://` or `http://`";
const ADDRESSES: &str = "e-mail addresses such as `Ada Lovelace <ada@example.org>`";
const REQUIREMENT: &str = "a requirement by PEP 508 without a URL";

impl CoreMetadata {
    /// Holds the metadata of a new release against the rules of the index.
    pub fn check(&self) -> Result<(), MetadataError> {
        self.check_versions()?;
        all_of(
            "Author-email",
            &self.author_email,
            ADDRESSES,
            address::is_list_of_addresses,
        )?;
        self.classifiers
            .iter()
            .try_for_each(|known| classifier::check(known))?;
        all_of(
            "Description-Content-Type",
            &self.description_content_type,
            description::EXPECTED,
            description::is_content_type,
        )?;
        all_of(
            "Download-URL",
            &self.download_url,
            WEB_URL,
            address::is_web_url,
        )?;
        all_of("Home-page", &self.home_page, WEB_URL, address::is_web_url)?;
        self.check_license()?;
        all_of(
            "Maintainer-email",
            &self.maintainer_email,
            ADDRESSES,
            address::is_list_of_addresses,
        )?;
        let is_servable =
            |text: &str| requirement::is_requirement(text) && !requirement::has_url(text);
        all_of(
            "Obsoletes-Dist",
            &self.obsoletes_dist,
            REQUIREMENT,
            is_servable,
        )?;
        self.check_project_urls()?;
        all_of(
            "Provides-Dist",
            &self.provides_dist,
            REQUIREMENT,
            is_servable,
        )?;
        self.check_extras()?;
        // A URL would let a package on this index install code that is not on it.
        all_of(
            "Requires-Dist",
            &self.requires_dist,
            REQUIREMENT,
            is_servable,
        )?;
        self.check_lengths()
    }

    /// Fields that came with a later version of the format than the document has (PEP 643 …).
    /// `License-File` is excepted: setuptools wrote it for years before PEP 639 was final.
    fn check_versions(&self) -> Result<(), MetadataError> {
        for (version, field, is_there) in [
            ("1.1", "Classifier", !self.classifiers.is_empty()),
            ("1.1", "Download-URL", self.download_url.is_some()),
            ("1.2", "Maintainer", self.maintainer.is_some()),
            ("1.2", "Maintainer-email", self.maintainer_email.is_some()),
            ("1.2", "Obsoletes-Dist", !self.obsoletes_dist.is_empty()),
            ("1.2", "Project-URL", !self.project_urls.is_empty()),
            ("1.2", "Provides-Dist", !self.provides_dist.is_empty()),
            ("1.2", "Requires-Dist", !self.requires_dist.is_empty()),
            (
                "1.2",
                "Requires-External",
                !self.requires_external.is_empty(),
            ),
            ("1.2", "Requires-Python", self.requires_python.is_some()),
            (
                "2.1",
                "Description-Content-Type",
                self.description_content_type.is_some(),
            ),
            ("2.1", "Provides-Extra", !self.provides_extra.is_empty()),
            ("2.2", "Dynamic", !self.dynamic.is_empty()),
            (
                "2.4",
                "License-Expression",
                self.license_expression.is_some(),
            ),
            ("2.5", "Import-Name", !self.import_names.is_empty()),
            (
                "2.5",
                "Import-Namespace",
                !self.import_namespaces.is_empty(),
            ),
        ] {
            if is_there && !self.is_at_least(version) {
                return Err(MetadataError::Later {
                    field,
                    version,
                    seen: self.metadata_version.clone(),
                });
            }
        }
        Ok(())
    }

    /// Whether the document is of this version of the format or a later one.
    pub fn is_at_least(&self, version: &str) -> bool {
        let place = |version: &str| METADATA_VERSIONS.iter().position(|known| *known == version);
        place(&self.metadata_version) >= place(version)
    }

    /// One of the two licence fields, and the newer one well-formed (PEP 639).
    fn check_license(&self) -> Result<(), MetadataError> {
        let expression = &self.license_expression;
        if self.license.is_some() && expression.is_some() {
            return Err(MetadataError::BothLicenses);
        }
        all_of(
            "License-Expression",
            expression,
            "an SPDX expression such as `MIT OR Apache-2.0`",
            license::is_expression,
        )?;
        if self.is_at_least("2.4") {
            let is_inside = |path: &str| {
                !path.starts_with('/')
                    && !path.contains('\\')
                    && path.split('/').all(|part| !["", ".", ".."].contains(&part))
            };
            let expected = "a relative path with `/` between its parts, without `.` and `..`";
            all_of("License-File", &self.license_files, expected, is_inside)?;
        }
        Ok(())
    }

    fn check_project_urls(&self) -> Result<(), MetadataError> {
        let wrong = self.project_urls.iter().find(|(label, url)| {
            label.is_empty() || label.chars().count() > LONGEST_LABEL || !address::is_web_url(url)
        });
        match wrong {
            None => Ok(()),
            Some((label, url)) => Err(MetadataError::value(
                "Project-URL",
                &format!("{label}, {url}"),
                "a label of at most 32 characters and a URL that begins with `https://` or `http://`",
            )),
        }
    }

    /// From 2.3 on two extras may not be one when normalized (PEP 685).
    fn check_extras(&self) -> Result<(), MetadataError> {
        let mut seen = BTreeSet::new();
        let twice = self.provides_extra.iter().find(|extra| {
            let normalized = extra.parse().map(|name: ProjectName| name.normalized());
            normalized.is_ok_and(|name| !seen.insert(name))
        });
        match twice {
            Some(extra) if self.is_at_least("2.3") => Err(MetadataError::value(
                "Provides-Extra",
                extra,
                "each extra once, however it is spelled",
            )),
            _ => Ok(()),
        }
    }

    fn check_lengths(&self) -> Result<(), MetadataError> {
        let length = |text: &str| text.chars().count();
        let summary = self.summary.as_deref().map_or(0, length);
        // It stands on the page, once for each file.
        let python = self
            .requires_python
            .as_ref()
            .map_or(0, |it| length(it.as_str()));
        for (field, seen) in [("Summary", summary), ("Requires-Python", python)] {
            if seen > LONGEST_LINE {
                return Err(MetadataError::TooLong {
                    field,
                    seen,
                    limit: LONGEST_LINE,
                });
            }
        }
        Ok(())
    }
}

/// Refuses the first value of a field, or of an optional one, that is not `expected`.
fn all_of<'a>(
    field: &'static str,
    values: impl IntoIterator<Item = &'a String>,
    expected: &'static str,
    check: impl Fn(&str) -> bool,
) -> Result<(), MetadataError> {
    match values.into_iter().find(|value| !check(value)) {
        None => Ok(()),
        Some(value) => Err(MetadataError::value(field, value, expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: &str, fields: &str) -> Result<(), String> {
        let text = format!("Metadata-Version: {version}\nName: a\nVersion: 1\n{fields}\n");
        let metadata = CoreMetadata::parse(text.as_bytes()).expect("well-formed");
        metadata.check().map_err(|error| error.to_string())
    }

    #[test]
    fn what_tools_write_passes() {
        let good = "Summary: s\nAuthor-email: A <a@b.example>\nHome-page: https://a.example\n\
                    Classifier: Topic :: Internet\nLicense-Expression: MIT\nLicense-File: l/LICENSE\n\
                    Requires-Dist: b[c]>=1; extra == \"x\"\nProvides-Extra: X_y\n\
                    Project-URL: Docs, https://a.example/docs\nDynamic: Requires-Dist\n\
                    Description-Content-Type: text/markdown\n";
        assert_eq!(check("2.4", good), Ok(()));
        // As setuptools did before PEP 639, with names that are not paths of the wheel.
        assert_eq!(
            check("2.1", "License: MIT\nLicense-File: ../LICENSE\n"),
            Ok(())
        );
        assert_eq!(
            check("2.1", "Provides-Extra: a_b\nProvides-Extra: a-b\n"),
            Ok(())
        );
    }

    #[test]
    fn every_rule_has_its_sentence() {
        let long = format!("Summary: {}\n", "é".repeat(513));
        let label = format!("Project-URL: {}, https://a.example\n", "x".repeat(33));
        for (version, fields, says) in [
            (
                "2.1",
                "Dynamic: Summary\n",
                "The metadata are of version 2.1, and the field Dynamic came with 2.2",
            ),
            (
                "1.0",
                "Classifier: Topic :: Internet\n",
                "the field Classifier came with 1.1",
            ),
            (
                "2.4",
                "Import-Name: a\n",
                "the field Import-Name came with 2.5",
            ),
            (
                "2.3",
                "License-Expression: MIT\n",
                "the field License-Expression came with 2.4",
            ),
            (
                "2.1",
                "Author-email: nobody\n",
                "`nobody` is not a value of the metadata field Author-email",
            ),
            (
                "2.1",
                "Maintainer-email: a@\n",
                "metadata field Maintainer-email: expected e-mail",
            ),
            (
                "2.1",
                "Classifier: Topic :: Internot\n",
                "did you mean `Topic :: Internet`?",
            ),
            (
                "2.1",
                "Description-Content-Type: text/html\n",
                "field Description-Content-Type: expected `text/plain`",
            ),
            (
                "2.1",
                "Download-URL: ftp://a.example\n",
                "field Download-URL: expected a URL",
            ),
            (
                "2.1",
                "Home-page: a.example\n",
                "field Home-page: expected a URL",
            ),
            (
                "2.4",
                "License: MIT\nLicense-Expression: MIT\n",
                "both License and License-Expression",
            ),
            (
                "2.4",
                "License-Expression: MIT License\n",
                "field License-Expression: expected an SPDX",
            ),
            (
                "2.4",
                "License-File: ../LICENSE\n",
                "field License-File: expected a relative path",
            ),
            (
                "2.1",
                "Obsoletes-Dist: b @ https://a.example/b.whl\n",
                "field Obsoletes-Dist: expected a requirement",
            ),
            (
                "2.1",
                "Provides-Dist: b, c\n",
                "field Provides-Dist: expected a requirement",
            ),
            (
                "2.1",
                "Requires-Dist: b @ https://a.example/b.whl\n",
                "field Requires-Dist: expected a requirement by PEP 508 without a URL",
            ),
            (
                "2.1",
                "Project-URL: Docs, javascript:x\n",
                "field Project-URL: expected a label",
            ),
            ("2.1", label.as_str(), "field Project-URL: expected a label"),
            (
                "2.3",
                "Provides-Extra: a_b\nProvides-Extra: a-b\n",
                "`a-b` is not a value of the metadata field Provides-Extra",
            ),
            (
                "2.1",
                long.as_str(),
                "The metadata field Summary has 513 characters: expected at most 512",
            ),
        ] {
            let message = check(version, fields).expect_err(fields);
            assert!(message.contains(says), "{fields} -> {message}");
        }
    }

    #[test]
    fn the_first_fault_by_alphabet_is_told() {
        let message = check("2.1", "Home-page: x\nAuthor-email: y\n").expect_err("two faults");
        assert!(message.contains("Author-email"), "{message}");
    }
}

//! The outer form of a metadata document: `Name: value` lines, some of them continued, an empty
//! line, and the description (PEP 566, after RFC 822).
//!
//! Not here: what the values mean. Nor is there any mail in it: encoded words, transfer
//! encodings and content types are not undone, because the format has none and two readers who
//! undo them differently see two documents. `python-pkginfo` does undo them; it also joins the
//! lines of a description, takes the first of repeated fields, and knows fewer fields.
//!
//! Invariant: each field is found under the one spelling of its name in [`FIELDS`].

use super::MetadataError;

/// All fields, as the specification spells them; names are compared without case.
pub(super) const FIELDS: [&str; 32] = [
    "Metadata-Version",
    "Name",
    "Version",
    "Dynamic",
    "Platform",
    "Supported-Platform",
    "Summary",
    "Description",
    "Description-Content-Type",
    "Keywords",
    "Home-page",
    "Download-URL",
    "Author",
    "Author-email",
    "Maintainer",
    "Maintainer-email",
    "License",
    "License-Expression",
    "License-File",
    "Classifier",
    "Requires-Dist",
    "Requires-Python",
    "Requires-External",
    "Project-URL",
    "Provides-Extra",
    "Provides-Dist",
    "Obsoletes-Dist",
    "Requires",
    "Provides",
    "Obsoletes",
    "Import-Name",
    "Import-Namespace",
];

/// The fields of a document in their order, values trimmed and unfolded, and its body.
pub(super) struct Document {
    fields: Vec<(&'static str, String)>,
    body: String,
}

impl Document {
    /// Reads the outer form (PEP 566).
    pub(super) fn read(bytes: &[u8]) -> Result<Self, MetadataError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| MetadataError::NotUtf8(error.valid_up_to()))?;
        // All three kinds of line end are in use, sometimes in one document.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let (head, body) = match text.strip_prefix('\n') {
            Some(body) => ("", body),
            None => text.split_once("\n\n").unwrap_or((&text, "")),
        };

        let mut raw: Vec<(&str, String)> = Vec::new();
        for (index, line) in head.lines().enumerate() {
            if line.starts_with([' ', '\t']) {
                let (_, value) = raw.last_mut().ok_or(MetadataError::Line(index + 1))?;
                value.push('\n');
                value.push_str(line);
            } else {
                let (name, value) = line
                    .split_once(':')
                    .filter(|(name, _)| name.bytes().all(|b| b.is_ascii_graphic()))
                    .ok_or(MetadataError::Line(index + 1))?;
                raw.push((name, value.to_owned()));
            }
        }

        let mut fields = Vec::with_capacity(raw.len());
        for (name, value) in raw {
            let Some(&field) = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(name)) else {
                continue;
            };
            let value = match field {
                "Description" | "License" => dedented(&value),
                "Summary" if value.trim().contains('\n') => {
                    return Err(MetadataError::value(field, value.trim(), "a single line"));
                }
                _ => value
                    .split(['\n', '\t'])
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(" "),
            };
            let value = value.trim().to_owned();
            refuse_controls(field, &value)?;
            // An empty Import-Name says something (PEP 794); any other empty field does not.
            if value != "UNKNOWN" && (!value.is_empty() || field == "Import-Name") {
                fields.push((field, value));
            }
        }
        // Old readmes have form feeds between their sections; XML-RPC can't carry one.
        let body = body.replace('\u{c}', "\n");
        refuse_controls("Description", &body)?;
        Ok(Self { fields, body })
    }

    /// All values of `field`, which leave the document.
    pub(super) fn all(&mut self, field: &'static str) -> Vec<String> {
        self.fields
            .extract_if(.., |(name, _)| *name == field)
            .map(|(_, value)| value)
            .collect()
    }

    /// All values of `field`, each of which must be `expected`.
    pub(super) fn all_checked(
        &mut self,
        field: &'static str,
        expected: &'static str,
        check: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, MetadataError> {
        let values = self.all(field);
        match values.iter().position(|value| !check(value)) {
            None => Ok(values),
            Some(index) => Err(MetadataError::value(field, &values[index], expected)),
        }
    }

    /// The value of `field`, if it is there once.
    pub(super) fn single(&mut self, field: &'static str) -> Result<Option<String>, MetadataError> {
        let mut values = self.all(field);
        if values.len() > 1 {
            return Err(MetadataError::Repeated(field));
        }
        Ok(values.pop())
    }

    /// The value of `field`, which must be there once.
    pub(super) fn required(&mut self, field: &'static str) -> Result<String, MetadataError> {
        self.single(field)?.ok_or(MetadataError::Missing(field))
    }

    /// The description: the body, or the field of the same name.
    pub(super) fn description(&mut self) -> Result<Option<String>, MetadataError> {
        let field = self.single("Description")?;
        let body = std::mem::take(&mut self.body);
        match (field, body.trim().is_empty()) {
            (Some(_), false) => Err(MetadataError::Repeated("Description")),
            (None, false) => Ok(Some(body)),
            (field, true) => Ok(field),
        }
    }
}

/// Only the two texts of several lines may have line breaks and tabs; elsewhere these were
/// white space, and are spaces by now.
fn refuse_controls(field: &'static str, value: &str) -> Result<(), MetadataError> {
    let is_text = matches!(field, "Description" | "License");
    let refused = |c: &char| c.is_control() && !(is_text && matches!(c, '\n' | '\t'));
    match value.chars().find(refused) {
        Some(code) => Err(MetadataError::Control { field, code }),
        None => Ok(()),
    }
}

/// A value of several lines without the indentation that made its lines continuation lines:
/// eight columns from `distutils` on, or seven and a bar (PEP 314).
fn dedented(value: &str) -> String {
    let mut lines = value.split('\n');
    let first = lines.next().unwrap_or_default().trim();
    let lines: Vec<&str> = lines.collect();
    let barred = lines
        .iter()
        .all(|line| line.starts_with("       |") || line.trim().is_empty());
    let indent = if barred {
        "       |".len()
    } else {
        let of = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
        lines
            .iter()
            .filter(|line| !line.trim().is_empty())
            .map(of)
            .min()
            .unwrap_or(0)
    };
    let rest = lines
        .iter()
        .map(|line| line.get(indent..).unwrap_or_default());
    std::iter::once(first)
        .chain(rest)
        .collect::<Vec<_>>()
        .join("\n")
}

//! Licence expressions (PEP 639): identifiers of the SPDX list joined by `AND`, `OR` and `WITH`.
//!
//! Not here: what a licence allows.
//!
//! Invariant: identifiers and operators count in any case, as PEP 639 reads them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use spdx::identifiers::{EXCEPTIONS, LICENSES};
use spdx::{Expression, ParseMode};

/// What PEP 639 takes: nothing imprecise, but old identifiers, too.
const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// Whether `text` is a licence expression.
pub(super) fn is_expression(text: &str) -> bool {
    Expression::parse_mode(&in_list_case(text), MODE).is_ok()
}

/// The expression with each identifier in the letters of the SPDX list.
fn in_list_case(text: &str) -> String {
    let mut expression = String::with_capacity(text.len());
    for part in text.split_inclusive([' ', '(', ')', '+']) {
        let word = part.trim_end_matches([' ', '(', ')', '+']);
        expression.push_str(listed(word).unwrap_or(word));
        expression.push_str(&part[word.len()..]);
    }
    expression
}

fn listed(word: &str) -> Option<&'static str> {
    LISTED.get(&word.to_ascii_lowercase()).copied()
}

/// Identifiers and operators by their small letters: an expression may have a million words.
static LISTED: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| {
    let licenses = LICENSES.iter().map(|license| license.name);
    let exceptions = EXCEPTIONS.iter().map(|exception| exception.name);
    let operators = ["AND", "OR", "WITH"].into_iter();
    let names = licenses.chain(exceptions).chain(operators);
    names
        .map(|name| (name.to_ascii_lowercase(), name))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::is_expression;

    #[test]
    fn expressions_are_told_from_names() {
        for good in [
            "MIT",
            "mit or apache-2.0",
            "(MIT AND BSD-3-Clause) OR GPL-2.0-or-later WITH Classpath-exception-2.0",
            "GPL-2.0",
            "LGPL-2.1+",
            "LicenseRef-Proprietary",
        ] {
            assert!(is_expression(good), "{good}");
        }
        for bad in [
            "",
            "MIT License",
            "Apache 2.0",
            "MIT/Apache-2.0",
            "MIT, BSD-3-Clause",
            "MIT OR",
            "(MIT",
            "Proprietary",
        ] {
            assert!(!is_expression(bad), "{bad}");
        }
    }

    #[test]
    fn an_expression_as_long_as_a_document_is_read() {
        let long = format!("{}mit", "mit or ".repeat(1 << 16));
        assert!(is_expression(&long));
        assert!(!is_expression(&"+".repeat(1 << 18)));
    }
}

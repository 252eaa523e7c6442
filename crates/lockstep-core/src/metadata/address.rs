//! Addresses in metadata: e-mail (the form of RFC 822, which the specification names) and the web.
//!
//! Not here: whether anybody is at home there.
//!
//! Invariant: what passes may be shown as a link.

/// Whether each part of a list such as `Ada <ada@a.example>, b@b.example` that means to be an
/// address is one. Old tools leave commas in names unquoted; a part without `@` and `<` counts as a
/// name when it is not alone.
pub(super) fn is_list_of_addresses(text: &str) -> bool {
    let parts = split_outside_quotes(text);
    let alone = parts.len() == 1;
    parts.iter().all(|part| {
        let inner = part.rsplit_once('<').map(|(_, rest)| rest.trim_end());
        match inner {
            Some(inner) => inner.strip_suffix('>').is_some_and(is_address),
            None => is_address(part.trim()) || (!alone && !part.contains('@')),
        }
    })
}

/// The parts between commas that are not within `"…"` or `<…>`.
fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut angled) = (Vec::new(), 0, false, false);
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            ',' if !quoted && !angled => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Whether `text` is `local@domain`, in the letters of any language.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_local =
        |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|letter| letter == '-' || letter.is_alphanumeric())
    };
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(is_local)
        && domain.len() <= 255
        && domain.split('.').all(is_label)
}

/// Whether `text` is an absolute `http` or `https` URL (RFC 3986): other schemes can make a link
/// that does something.
pub(super) fn is_web_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let forbidden =
        |letter: char| letter.is_control() || letter.is_whitespace() || "<>\"\\^`".contains(letter);
    ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        && !host.is_empty()
        && !rest.contains(forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in [
            "ada@a.example",
            "Ada Lovelace <ada+x@a-b.example>",
            "\"Lovelace, Ada\" <ada@a.example>, Grace <g@b.example>",
            "Lovelace, Ada <ada@a.example>",
            "José <josé@müller.example>",
            "root@localhost",
        ] {
            assert!(is_list_of_addresses(good), "{good}");
        }
        for bad in [
            "",
            "Ada",
            "ada@",
            "@a.example",
            "ada at a.example",
            "ada@a..example",
            "ada@-a.example",
            "Ada <ada>",
            "Ada <ada@a.example",
            "ada@a.example, b@",
            "a b@a.example",
        ] {
            assert!(!is_list_of_addresses(bad), "{bad}");
        }
    }

    #[test]
    fn only_the_web_is_linked_to() {
        for good in [
            "https://a.example",
            "HTTP://a.example:8080/b?c=d#e",
            "https://[::1]/x",
        ] {
            assert!(is_web_url(good), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "//a.example",
            "https://",
            "https:///path",
            "ftp://a.example",
            "javascript:alert(1)",
            "https://a.example/<b>",
            "https://a.example/b c",
        ] {
            assert!(!is_web_url(bad), "{bad}");
        }
    }
}

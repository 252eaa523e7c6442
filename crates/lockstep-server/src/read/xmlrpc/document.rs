//! The XML of calls and answers. What it means is not known here.
//!
//! Invariant: reading is bounded by the size of the call. No entity is expanded but XML's own five,
//! and what nests deeper than 128 elements is refused by the parser before the stack is in danger.

use std::borrow::Cow;

use dxr::{Fault, FaultResponse, MethodCall, MethodResponse, Value};
use encoding_rs::{Encoding, UTF_8};

/// For clients that take `text/xml` without a charset for ASCII, as it once was.
const DECLARATION: &str = "<?xml version='1.0' encoding='utf-8'?>\n";

/// The call in a request's body; `None` when it is not well-formed, or not a call.
pub(super) fn read(bytes: &[u8]) -> Option<MethodCall<'static>> {
    let text = decoded(bytes)?;
    if has_declarations(&text) {
        return None;
    }
    let call = MethodCall::from_xml(&text).ok()?;
    Some(MethodCall {
        name: call.name.into_owned().into(),
        params: call.params,
    })
}

/// Text in the encoding that the document declares, as XML wants it (appendix F): by its first bytes,
/// else by its declaration, else UTF-8.
fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling_and_without_replacement(&bytes[length..]);
    }
    let encoding = match declared(bytes) {
        None => UTF_8,
        Some(label) => Encoding::for_label(label)?,
    };
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

/// What `encoding` says in `<?xml … ?>`.
fn declared(bytes: &[u8]) -> Option<&[u8]> {
    let head = bytes.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let head = &head[..end];
    let start = head.windows(8).position(|word| word == b"encoding")? + 8;
    let value = head[start..].trim_ascii_start().strip_prefix(b"=")?;
    let (quote, value) = value.trim_ascii_start().split_first()?;
    value.split(|byte| byte == quote).next()
}

/// `<!DOCTYPE …>` and its like: declared entities could multiply, and no call needs any.
fn has_declarations(text: &str) -> bool {
    text.split("<!")
        .skip(1)
        .any(|rest| !rest.starts_with("--") && !rest.starts_with("[CDATA["))
}

/// The document of a result.
pub(super) fn response(value: Value) -> Result<String, dxr::Error> {
    let document = MethodResponse { value }.to_xml()?;
    Ok(format!("{DECLARATION}{document}"))
}

/// The document of a fault.
pub(super) fn fault(fault: &Fault) -> Result<String, dxr::Error> {
    // It may hold a word of the call, in which XML lets characters be that it has no place for.
    let fault = Fault::new(fault.code(), clean(fault.string()));
    let document = FaultResponse { fault }.to_xml()?;
    Ok(format!("{DECLARATION}{document}"))
}

/// `text` without characters that no XML document may hold (XML 1.0 §2.2).
pub(super) fn clean(text: &str) -> String {
    text.replace(
        |letter| {
            matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}')
                || matches!(letter, '\u{fffe}' | '\u{ffff}')
        },
        "\u{fffd}",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(bytes: &[u8]) -> Option<String> {
        read(bytes).map(|call| call.name.into_owned())
    }

    fn call(declaration: &str) -> String {
        format!("{declaration}<methodCall><methodName>caf\u{e9}</methodName></methodCall>")
    }

    #[test]
    fn a_call_is_read_in_the_encoding_that_it_declares() {
        let expected = Some("caf\u{e9}".to_owned());
        assert_eq!(name(call("").as_bytes()), expected);
        assert_eq!(name(call("\u{feff}").as_bytes()), expected);
        let utf_16: Vec<u8> = call("\u{feff}<?xml version=\"1.0\" encoding=\"utf-16\"?>")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(name(&utf_16), expected);
        let latin_1 = |text: &str| -> Vec<u8> {
            let bytes = text.chars().map(|letter| letter as u32);
            bytes
                .map(|byte| u8::try_from(byte).expect("Latin-1"))
                .collect()
        };
        for declaration in [
            "<?xml version='1.0' encoding='iso-8859-1'?>",
            "<?xml version=\"1.0\" encoding = \"ISO-8859-1\" standalone='yes'?>\n",
        ] {
            assert_eq!(
                name(&latin_1(&call(declaration))),
                expected,
                "{declaration}"
            );
        }
        // Not what they say they are.
        assert_eq!(name(&latin_1(&call(""))), None);
        assert_eq!(
            name(call("<?xml version='1.0' encoding='klingon'?>").as_bytes()),
            None
        );
    }

    #[test]
    fn declarations_are_refused_and_comments_are_not() {
        let with = |text: &str| format!("{text}{}", call(""));
        for bad in [
            "<!DOCTYPE x>",
            "<!doctype x>",
            "<!ENTITY a 'b'>",
            "<!ELEMENT x>",
        ] {
            assert_eq!(name(with(bad).as_bytes()), None, "{bad}");
        }
        assert!(name(with("<!-- a comment -->").as_bytes()).is_some());
    }

    #[test]
    fn nothing_is_written_that_a_parser_would_refuse() {
        assert_eq!(
            clean("a\0\u{1b}\u{ffff}\n\tb"),
            "a\u{fffd}\u{fffd}\u{fffd}\n\tb"
        );
    }
}

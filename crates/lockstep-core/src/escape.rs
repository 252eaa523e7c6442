//! The HTML escaper of the simple page, frozen.
//!
//! Not a general escaper and never a library's: page hashes are public promises, and a dependency
//! that changes `&#x27;` to `&#39;` would change every page of the index without a changelog row.
//! The five replacements are those of the public index's templates (`&amp; &lt; &gt; &#34;
//! &#39;`), safe in text and in attributes of either quote.

/// Appends `text` to `out`, escaped.
pub(crate) fn escape_into(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            // Multi-byte UTF-8 has no byte below 0x80, so it passes unharmed.
            other => out.push(other),
        }
    }
}

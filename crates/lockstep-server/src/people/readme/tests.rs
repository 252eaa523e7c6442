//! Readmes of people who mean harm, and of people who do not.

use super::*;

fn markdown(text: &str) -> String {
    match render(text, Some("text/markdown; charset=UTF-8; variant=GFM")) {
        Some(Readme::Html(html)) => html.trim().to_owned(),
        Some(Readme::Text { text, .. }) => panic!("not rendered: {text}"),
        None => String::new(),
    }
}

#[test]
fn what_could_do_harm_does_not_get_through() {
    let rel = "rel=\"nofollow ugc noopener noreferrer\"";
    for (text, html) in [
        ("<script>alert(1)</script>hi", "hi".to_owned()),
        ("a <script>alert(1)</script> b", "<p>a  b</p>".to_owned()),
        ("<SCRIPT SRC=//x.example/a.js>", String::new()),
        (
            "<scr<script>ipt>alert(1)</script>",
            "<p>&lt;scr</p>".to_owned(),
        ),
        (
            "x <img src=x onerror=alert(1)>",
            "<p>x <span class=\"image\">image</span></p>".to_owned(),
        ),
        (
            "x <b onmouseover=alert(1) style=\"position:fixed\">y</b>",
            "<p>x <strong>y</strong></p>".to_owned(),
        ),
        ("[x](javascript:alert(1))", "<p>x</p>".to_owned()),
        ("[x](JaVaScRiPt:alert(1))", "<p>x</p>".to_owned()),
        ("[x](java&#10;script:alert(1))", "<p>x</p>".to_owned()),
        ("[x](&#1;javascript:alert(1))", "<p>x</p>".to_owned()),
        (
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "<p>x</p>".to_owned(),
        ),
        (
            "[x](vbscript:x) [y](file:///etc/passwd)",
            "<p>x y</p>".to_owned(),
        ),
        (
            "[x](//other.example/) [y](other.md) [z](#z)",
            "<p>x y z</p>".to_owned(),
        ),
        (
            "<a href=\"javascript:alert(1)\">x</a>",
            "<p>x</p>".to_owned(),
        ),
        (
            "<javascript:alert(1)>",
            "<p>javascript:alert(1)</p>".to_owned(),
        ),
        (
            "[x](https://x.example/?a=1&b=\"><script>)",
            format!(
                "<p><a href=\"https://x.example/?a=1&amp;b=%22%3E%3Cscript%3E\" {rel}>x</a></p>"
            ),
        ),
        ("<style>body{display:none}</style>x", "x".to_owned()),
        (
            "<svg onload=alert(1)><text>x</text></svg>y",
            "<p>y</p>".to_owned(),
        ),
        (
            "<math><mi//xlink:href=\"data:x,<script>alert(1)</script>\">",
            String::new(),
        ),
        ("<iframe src=https://x.example></iframe>", String::new()),
        (
            "<form action=https://x.example><button>Log in</button></form>",
            "Log in".to_owned(),
        ),
        (
            "<meta http-equiv=refresh content=\"0;url=https://x.example\">",
            String::new(),
        ),
        ("<base href=https://x.example>", String::new()),
        (
            "<!-- <script>alert(1)</script> -->\n\nx",
            "<p>x</p>".to_owned(),
        ),
        ("<!--> x --> <b>y", "<strong>y</strong>".to_owned()),
        ("</main></body></html><h1>x", "<h3>x</h3>".to_owned()),
        (
            "`<script>`",
            "<p><code>&lt;script&gt;</code></p>".to_owned(),
        ),
        ("&lt;script&gt;", "<p>&lt;script&gt;</p>".to_owned()),
        (
            "```html\" onclick=\"alert(1)\n<b>\n```",
            "<pre tabindex=\"0\"><code>&lt;b&gt;\n</code></pre>".to_owned(),
        ),
    ] {
        let got = markdown(text);
        if text.starts_with("<!-->") {
            assert!(!got.contains("script"), "{got}");
        } else {
            assert_eq!(got, html, "{text}");
        }
    }
}

#[test]
fn an_ordinary_readme_looks_as_it_was_meant() {
    let rel = "rel=\"nofollow ugc noopener noreferrer\"";
    for (text, html) in [
        (
            "# Sample\n\n### Deep\n\n## Next\n\n# Other",
            "<h3>Sample</h3>\n<h4>Deep</h4>\n<h4>Next</h4>\n<h3>Other</h3>".to_owned(),
        ),
        (
            "[![build](https://x.example/b.svg)](https://x.example/)",
            format!("<p><a href=\"https://x.example/\" {rel}><span class=\"image\">build</span></a></p>"),
        ),
        ("[](https://x.example/)", String::new()),
        (
            "- [x] done\n- [ ] open",
            "<ul><li>☑ \ndone</li><li>☐ \nopen</li></ul>".to_owned(),
        ),
        (
            "| a | |\n|---|---|\n| 1 | |",
            "<table tabindex=\"0\"><thead><tr><th>a</th><td></td></tr></thead><tbody><tr><td>1</td>\
             <td></td></tr></tbody></table>"
                .to_owned(),
        ),
        (
            "<p align=\"center\"><a href=\"https://x.example\"><b>Docs</b></a><br/>here</p>",
            format!("<p><a href=\"https://x.example\" {rel}><strong>Docs</strong></a><br>here</p>"),
        ),
        ("~~old~~ **new** *it*", "<p><del>old</del> <strong>new</strong> <em>it</em></p>".to_owned()),
        ("<li>alone</li> <td>cell</td>", "alone cell".to_owned()),
        ("<ul>text<li>item</ul>", "<ul><li>text</li><li>item</li></ul>".to_owned()),
        (
            "<b><p>one<p>two</b>",
            "<p>one</p><p>two</p>".to_owned(),
        ),
    ] {
        assert_eq!(markdown(text), html, "{text}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}x", "> ".repeat(2_000));
    let depth = markdown(&deep).matches("<blockquote>").count();
    assert!((20..=40).contains(&depth), "{depth}");
    // Formatting that is never closed, of many kinds, before many paragraphs.
    let open = "<b><i><s><u><tt><small><big>".repeat(2_000) + &"<p>x".repeat(2_000);
    let html = markdown(&format!("<div>{open}"));
    assert!(html.len() < 2_000 * 20, "{}", html.len());
    let long = format!("# {}", "x ".repeat(LONGEST_MARKDOWN / 2));
    let shown = render(&long, Some("text/markdown"));
    assert_eq!(
        shown,
        Some(Readme::Text {
            text: long,
            cut: false
        })
    );
    let longest = "é".repeat(LONGEST);
    let Some(Readme::Text { text, cut: true }) = render(&longest, None) else {
        panic!("it is cut");
    };
    assert_eq!(text.len(), LONGEST);
}

#[test]
fn other_formats_are_text() {
    for content_type in [
        None,
        Some("text/x-rst"),
        Some("text/plain"),
        Some("text/markdownish"),
    ] {
        let text = "<script>\n**not bold**".to_owned();
        let shown = render(&text, content_type);
        assert_eq!(
            shown,
            Some(Readme::Text { text, cut: false }),
            "{content_type:?}"
        );
    }
    for nothing in ["", " \n", "<!-- -->"] {
        assert_eq!(render(nothing, Some("Text/Markdown")), None, "{nothing:?}");
    }
}

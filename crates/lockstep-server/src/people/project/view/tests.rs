//! The words on a project's page in states that no upload can bring about.

use lockstep_core::digest::Sha256;
use lockstep_store::catalog::Listed;

use lockstep_core::status::Yanked;

use super::*;

fn listed(id: i64, version: &str, yanked: Yanked) -> Listed {
    let version = version.parse().expect("version");
    Listed {
        id,
        version,
        yanked,
    }
}

/// A project with 1.0, and 2.0 yanked with this reason; 2.0 is shown.
fn shown(status: ProjectStatus, reason: Option<&str>) -> Shown {
    let reason = reason.map(|text| text.parse::<Reason>().expect("reason"));
    let this = listed(2, "2.0", Yanked::Yes(reason.clone()));
    let name = "Sample.Project".parse().expect("name");
    let mut metadata = CoreMetadata::new("2.1".to_owned(), name, this.version.clone());
    metadata.summary = Some("<b>bold</b> & \"quoted\"".to_owned());
    metadata.description = Some("*hello* <script>alert(1)</script>".to_owned());
    metadata.description_content_type = Some("text/markdown".to_owned());
    metadata.license = Some("Short\nand the whole text of it".to_owned());
    metadata.home_page = Some("javascript:alert(1)".to_owned());
    metadata.project_urls = [
        ("Docs", "https://docs.example/?a=1&b=2"),
        ("Evil", "javascript:alert(1)//https://x.example"),
        ("Data", "data:text/html,x"),
        ("<i>", "HTTP://plain.example/\"onclick=\"x"),
    ]
    .map(|(label, url)| (label.to_owned(), url.to_owned()))
    .to_vec();
    let release = Release {
        all: vec![this.clone(), listed(1, "1.0", Yanked::No)],
        latest: "1.0".parse().expect("version"),
        this,
        metadata,
        files: Vec::new(),
        asked_for: true,
    };
    let quarantined = status == ProjectStatus::Quarantined;
    Shown {
        about: About {
            id: 1,
            name: "Sample.Project".parse().expect("name"),
            status,
            status_reason: reason,
            serial: Serial::new(7).expect("serial"),
            html_sha256: Sha256::of(b"page"),
        },
        release: (!quarantined).then_some(release),
        history: Vec::new(),
    }
}

fn html(shown: &Shown) -> String {
    let settings =
        toml::from_str("public_url = 'https://index.example'\ndatabase_url = ''\nblobs = ''\n");
    let settings: Settings = settings.expect("settings");
    let project = "sample-project".parse().expect("name");
    let bytes = render(&settings, &FileLinks::Relative, &project, shown).expect("rendered");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_yanked_release_says_so_and_why() {
    let html = html(&shown(ProjectStatus::Active, Some("breaks <3.9> & more")));
    for said in [
        "This release is yanked.",
        "Reason given: breaks &#60;3.9&#62; &#38; more",
        "The latest version is <a href=\"/project/sample-project/\">1.0</a>",
        "<strong>2.0</strong> (yanked)",
        "/simple/ sample-project==2.0<",
    ] {
        assert!(html.contains(said), "{said} in\n{html}");
    }
    assert!(!html.contains("This project is"), "{html}");
}

#[test]
fn a_status_is_told_with_its_reason() {
    for (status, said) in [
        (
            ProjectStatus::Archived,
            "This project is archived.</strong> No further",
        ),
        (
            ProjectStatus::Deprecated,
            "This project is deprecated.</strong> Its maint",
        ),
        (
            ProjectStatus::Quarantined,
            "This project is quarantined.</strong> It is thought",
        ),
    ] {
        let html = html(&shown(status, Some("moved to <b>other</b>")));
        assert!(html.contains(said), "{html}");
        assert!(
            html.contains("Reason given: moved to &#60;b&#62;other&#60;/b&#62;"),
            "{html}"
        );
        let installs = html.contains("pip install");
        assert_eq!(installs, status != ProjectStatus::Quarantined, "{status}");
    }
}

#[test]
fn what_publishers_write_is_text_and_their_links_lead_to_the_web() {
    let html = html(&shown(ProjectStatus::Active, None));
    assert!(!html.contains("<script"), "{html}");
    assert!(
        !html.contains("javascript:") && !html.contains("data:text"),
        "{html}"
    );
    assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
    let summary = "&#60;b&#62;bold&#60;/b&#62; &#38; &#34;quoted&#34;";
    assert!(html.contains(summary), "{html}");
    assert!(html.contains("<dd>Short</dd>"), "{html}");
    let rel = "rel=\"nofollow ugc noopener noreferrer\"";
    let docs = format!("<a href=\"https://docs.example/?a=1&#38;b=2\" {rel}>Docs</a>");
    assert!(html.contains(&docs), "{html}");
    assert!(
        html.contains("href=\"HTTP://plain.example/&#34;onclick=&#34;x\""),
        "{html}"
    );
}

#[test]
fn of_many_versions_the_newest_are_listed() {
    let mut shown = shown(ProjectStatus::Active, None);
    let links = |html: &str| html.matches("<a href=\"/project/sample-project/").count();
    for (count, lines, said) in [(100, 100, false), (101, 100, true), (3000, 100, true)] {
        let release = shown.release.as_mut().expect("release");
        let versions = (1..=count).rev();
        release.all = versions
            .map(|number| listed(number + 2, &format!("0.{number}"), Yanked::No))
            .collect();
        let html = html(&shown);
        // And the link to the latest.
        assert_eq!(links(&html), lines + 1, "{count}");
        let sentence = format!("These are the newest of {count} versions.");
        assert_eq!(html.contains(&sentence), said, "{count}");
    }
}

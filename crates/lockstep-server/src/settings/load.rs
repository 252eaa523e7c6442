//! From file and environment to checked settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat, Value, ValueKind};
use lockstep_cdn::TargetName;

use super::{CdnSettings, ProbeKind, ProbeSettings, Settings, known};

/// Settings that can't be used. Each message names the key and what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there or not TOML, or a value is missing or of the wrong kind.
    #[error("{0}")]
    Unreadable(String),
    /// A key that does not exist.
    #[error("unknown setting `{unknown}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// As given.
        unknown: String,
        /// The most similar one there is.
        nearest: &'static str,
    },
    /// A file that holds a secret can't be read.
    #[error("the file named by `{key}` ({}) can't be read: {error}", path.display())]
    SecretFile {
        /// The setting that names it.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A value that makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// Reads `file`, lays the environment (`LOCKSTEP__ANNOUNCE__AFTER=purge`) over it, and checks all.
pub fn load(file: &Path) -> Result<Settings, SettingsError> {
    let unreadable = |error: config::ConfigError| {
        SettingsError::Unreadable(format!("settings in {}: {error}", file.display()))
    };
    let config = Config::builder()
        .add_source(File::from(file).format(FileFormat::Toml))
        .add_source(
            Environment::with_prefix("LOCKSTEP")
                .prefix_separator("__")
                .separator("__"),
        )
        .build()
        .map_err(unreadable)?;
    let mut root = config.cache.clone();
    refuse_unknown(&root, "")?;
    read_secret_files(&mut root, "")?;
    let mut settings: Settings = root.try_deserialize().map_err(unreadable)?;
    settings.public_url = settings.public_url.trim_end_matches('/').to_owned();
    check(&settings)?;
    Ok(settings)
}

/// Walks the whole tree: a misspelt key must never be a default in disguise.
fn refuse_unknown(value: &Value, at: &str) -> Result<(), SettingsError> {
    match &value.kind {
        ValueKind::Table(table) => table.iter().try_for_each(|(key, value)| {
            let path = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            if !known::exists(&path) {
                let nearest = known::nearest(&path);
                return Err(SettingsError::UnknownKey {
                    unknown: path,
                    nearest,
                });
            }
            refuse_unknown(value, &path)
        }),
        ValueKind::Array(items) => items.iter().try_for_each(|item| refuse_unknown(item, at)),
        _ => Ok(()),
    }
}

/// `database_url_file = "/run/secrets/db"` becomes `database_url`, and so on at every level.
fn read_secret_files(value: &mut Value, at: &str) -> Result<(), SettingsError> {
    let table = match &mut value.kind {
        ValueKind::Table(table) => table,
        ValueKind::Array(items) => {
            return items
                .iter_mut()
                .try_for_each(|item| read_secret_files(item, at));
        }
        _ => return Ok(()),
    };
    let mut secrets = BTreeMap::new();
    for (key, value) in table.iter_mut() {
        read_secret_files(value, key)?;
        if let Some(secret) = key.strip_suffix("_file") {
            let path = PathBuf::from(value.to_string());
            let text =
                std::fs::read_to_string(&path).map_err(|error| SettingsError::SecretFile {
                    key: if at.is_empty() {
                        key.clone()
                    } else {
                        format!("{at}.{key}")
                    },
                    path,
                    error,
                })?;
            secrets.insert(secret.to_owned(), text.trim().to_owned());
        }
    }
    for (key, secret) in secrets {
        table.insert(key, Value::from(secret));
    }
    Ok(())
}

fn check(settings: &Settings) -> Result<(), SettingsError> {
    let invalid = |text: String| Err(SettingsError::Invalid(text));
    for (key, url) in [
        ("public_url", &settings.public_url),
        ("files_url", &settings.files_url),
    ] {
        let empty = url.is_empty() && key == "files_url";
        if !empty && !url.starts_with("http://") && !url.starts_with("https://") {
            return invalid(format!(
                "`{key}` is `{url}`, but must begin with https:// or http://"
            ));
        }
    }
    if settings.upload.max_file_size.as_u64() == 0 {
        return invalid("`upload.max_file_size` is 0: nothing could be uploaded".to_owned());
    }
    if settings.upload.max_concurrent == 0 {
        return invalid("`upload.max_concurrent` is 0: nothing could be uploaded".to_owned());
    }
    settings.limits.check().map_err(SettingsError::Invalid)?;
    let mut names = std::collections::BTreeSet::new();
    for cdn in &settings.cdn {
        let name = cdn.name();
        if let Err(error) = name.parse::<TargetName>() {
            return invalid(format!("`cdn.name`: {error}"));
        }
        if !names.insert(name) {
            return invalid(format!(
                "two [[cdn]] are named `{name}`; each needs its own name"
            ));
        }
        if let CdnSettings::Fastly { token: None, .. } = cdn {
            return invalid(format!("[[cdn]] `{name}` needs `token` or `token_file`"));
        }
    }
    names.clear();
    for probe in &settings.probe {
        if let Err(error) = probe.name.parse::<TargetName>() {
            return invalid(format!("`probe.name`: {error}"));
        }
        if !names.insert(probe.name.as_str()) {
            return invalid(format!(
                "two [[probe]] are named `{}`; each needs its own name",
                probe.name
            ));
        }
        check_probe(probe)?;
    }
    Ok(())
}

fn check_probe(probe: &ProbeSettings) -> Result<(), SettingsError> {
    let name = &probe.name;
    let text = match probe.kind {
        ProbeKind::FastlyEdgeCheck if probe.token.is_none() => format!(
            "[[probe]] `{name}` is a `fastly-edge-check`, which asks Fastly's API: it needs `token` or \
             `token_file`"
        ),
        ProbeKind::Http if probe.token.is_some() || probe.api_url.is_some() => format!(
            "[[probe]] `{name}` reads pages as a client does and has no use for `token` or `api_url`: \
             remove them, or set `kind = \"fastly-edge-check\"`"
        ),
        _ => return Ok(()),
    };
    Err(SettingsError::Invalid(text))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn from_text(text: &str) -> Result<Settings, SettingsError> {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(text.as_bytes()).expect("written");
        load(file.path())
    }

    const LEAST: &str = "public_url = 'https://index.example.org/'\n\
                         database_url = 'postgres://u:geheim@db/lockstep'\nblobs = 'file:///b'\n";

    #[test]
    fn defaults_are_those_of_the_guide() {
        let settings = from_text(LEAST).expect("settings");
        assert_eq!(settings.public_url, "https://index.example.org");
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.upload.max_file_size, bytesize::ByteSize::mib(100));
        assert_eq!(settings.cache.edge, "max-age=86400, stale-if-error=86400");
        assert_eq!(settings.cache.clients, "max-age=0, must-revalidate");
        let shown = settings.to_toml().expect("toml");
        assert!(shown.contains("retention = \"30days\""), "{shown}");
        assert!(shown.contains("after = \"verify\""), "{shown}");
        assert!(!shown.contains("geheim"), "{shown}");
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = from_text(&format!("{LEAST}[anounce]\nafter = 'purge'")).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "unknown setting `anounce`; did you mean `announce`?"
        );
    }

    #[test]
    fn every_cdn_kind_reads_and_secrets_come_from_files() {
        let mut token = tempfile::NamedTempFile::new().expect("temporary file");
        token.write_all(b"t0ken\n").expect("written");
        let settings = from_text(&format!(
            "{LEAST}[[cdn]]\nname='fastly'\nkind='fastly'\nservice_id='s'\ntoken_file='{}'\n\
             [[cdn]]\nname='pop-1'\nkind='varnish'\nurl='http://127.0.0.1:1'\n\
             second_pass_after='150ms'\n",
            token.path().display()
        ))
        .expect("settings");
        assert_eq!(settings.cdn[1].second_pass_after().as_millis(), 150);
        let shown = settings.to_toml().expect("toml");
        assert!(
            shown.contains("token = \"(hidden)\"") && !shown.contains("t0ken"),
            "{shown}"
        );
    }

    #[test]
    fn a_probe_reads_pages_unless_told_otherwise() {
        let settings = from_text(&format!(
            "{LEAST}[[probe]]\nname='a'\nurl='https://a'\n[[probe]]\nname='pops'\n\
             kind='fastly-edge-check'\nurl='https://a'\ntoken='t0ken'\n"
        ))
        .expect("settings");
        let kinds: Vec<_> = settings.probe.iter().map(|probe| probe.kind).collect();
        assert_eq!(kinds, [ProbeKind::Http, ProbeKind::FastlyEdgeCheck]);
        let shown = settings.to_toml().expect("toml");
        assert!(shown.contains("kind = \"fastly-edge-check\""), "{shown}");
        assert!(!shown.contains("t0ken"), "{shown}");
    }

    #[test]
    fn nonsense_says_what_to_write() {
        for (text, says) in [
            (
                "[announce]\nafter='never'",
                "expected commit, purge or verify",
            ),
            ("retention='long'", "no duration such as 2s"),
            ("[limits]\nmax_headers=0", "`limits.max_headers` is 0"),
            (
                "[limits]\nhead_timeout='0s'",
                "`limits.head_timeout` is shorter",
            ),
            ("[limits]\nmax_url_length='1 MiB'", "at most 65534"),
            ("[limits]\nfailed_logins='often'", "no rate such as"),
            ("[upload]\nrate='60'", "no rate such as"),
            ("[upload]\nmax_concurrent=0", "`upload.max_concurrent` is 0"),
            ("trusted_proxies=['edge']", "no network such as"),
            (
                "[limits]\nmax_header=1",
                "did you mean `limits.max_headers`",
            ),
            (
                "[[cdn]]\nname='a'\nkind='varnish'\nurl='u'\n[[cdn]]\nname='a'\nkind='varnish'\nurl='u'",
                "its own name",
            ),
            (
                "[[cdn]]\nname='f'\nkind='fastly'\nservice_id='s'",
                "`token` or `token_file`",
            ),
            (
                "[[probe]]\nname='p'\nkind='fastly'\nurl='u'",
                "`fastly` is no kind of probe: expected http or fastly-edge-check",
            ),
            (
                "[[probe]]\nname='p'\nkind='fastly-edge-check'\nurl='u'",
                "needs `token` or `token_file`",
            ),
            (
                "[[probe]]\nname='p'\nurl='u'\ntoken='t'",
                "has no use for `token`",
            ),
            ("[[cdn]]\nname='A b'\nkind='varnish'\nurl='u'", "cdn.name"),
        ] {
            let error = from_text(&format!("{LEAST}{text}"))
                .expect_err(text)
                .to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}

//! The keys that exist, to name the nearest one when a key does not.

/// Every key, dotted; lists without their index.
pub(super) const KEYS: &[&str] = &[
    "announce",
    "announce.after",
    "announce.max_wait",
    "blobs",
    "cache",
    "cache.clients",
    "cache.edge",
    "cdn",
    "cdn.api_url",
    "cdn.kind",
    "cdn.name",
    "cdn.second_pass_after",
    "cdn.service_id",
    "cdn.soft",
    "cdn.token",
    "cdn.token_file",
    "cdn.url",
    "database_url",
    "database_url_file",
    "files_url",
    "limits",
    "limits.answer_timeout",
    "limits.body_timeout",
    "limits.failed_logins",
    "limits.head_timeout",
    "limits.idle_timeout",
    "limits.max_body_size",
    "limits.max_bulk_reads",
    "limits.max_connections",
    "limits.max_header_size",
    "limits.max_headers",
    "limits.max_url_length",
    "limits.min_body_rate",
    "limits.query_timeout",
    "listen",
    "probe",
    "probe.api_url",
    "probe.kind",
    "probe.name",
    "probe.token",
    "probe.token_file",
    "probe.url",
    "public_url",
    "retention",
    "trusted_proxies",
    "upload",
    "upload.max_concurrent",
    "upload.max_fields",
    "upload.max_fields_size",
    "upload.max_file_size",
    "upload.max_members",
    "upload.max_project_size",
    "upload.max_unpacked_size",
    "upload.max_wait",
    "upload.prohibited_names",
    "upload.rate",
];

/// Whether a key exists.
pub(super) fn exists(key: &str) -> bool {
    KEYS.contains(&key)
}

/// The key most like this one.
pub(super) fn nearest(key: &str) -> &'static str {
    // A key is often right but for the table it was put in, so its last part counts on its own, too.
    let likeness = |known: &str| {
        let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
        strsim::jaro_winkler(known, key).max(strsim::jaro_winkler(&last(known), &last(key)) * 0.95)
    };
    KEYS.iter()
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_hand_finds_its_key() {
        assert_eq!(nearest("databse_url"), "database_url");
        assert_eq!(nearest("max_file_size"), "upload.max_file_size");
        assert_eq!(nearest("cdn.second_pas_after"), "cdn.second_pass_after");
        assert_eq!(nearest("announce.afer"), "announce.after");
    }
}

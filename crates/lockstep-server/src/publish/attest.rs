//! Attestations (PEP 740): verified while the file is uploaded, or the upload is refused.
//!
//! Offline, against the trust root of Sigstore's public good instance that this build carries: the
//! certificate's chain, its transparency log entry, the signature, and that what was signed speaks of
//! this very file. Who signed is not judged: the index knows no trusted publishers. It is written into
//! the provenance for whoever reads it.

mod publisher;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use lockstep_core::digest::Sha256;
use lockstep_core::filename::DistFilename;
use publisher::Publisher;
use serde::{Deserialize, Serialize};
use sigstore_verify::trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_verify::types::{Bundle, Sha256Hash};
use sigstore_verify::{VerificationPolicy, Verifier};

/// What a file came with, verified.
pub struct Provenance {
    /// Where it will be found.
    pub url: String,
    /// The provenance object (PEP 740), as it is served.
    pub document: String,
}

/// Why attestations are refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttestError {
    #[error("they are no JSON array of attestations ({0})")]
    NotAttestations(serde_json::Error),
    #[error("version {0} of attestations is not known; 1 is")]
    UnknownVersion(u64),
    #[error("the signed statement can't be read ({0})")]
    Statement(String),
    #[error("the statement must have one subject, and has {0}")]
    Subjects(usize),
    #[error("it was signed for `{signed}`, not for `{uploaded}`")]
    OtherFile {
        signed: String,
        uploaded: DistFilename,
    },
    #[error("its digest is not that of the uploaded file")]
    OtherBytes,
    #[error("the predicate type `{0}` is not known; publish v1 and SLSA provenance v1 are")]
    UnknownPredicate(String),
    #[error("there is more than one of the type `{0}`")]
    Twice(String),
    #[error("the signature can't be verified: {0}")]
    Verification(String),
}

/// The two kinds that the public index takes.
const PREDICATES: [&str; 2] = [
    "https://docs.pypi.org/attestations/publish/v1",
    "https://slsa.dev/provenance/v1",
];

/// An attestation as uploaders send it and readers get it.
#[derive(Deserialize, Serialize)]
struct Attestation {
    version: u64,
    verification_material: Material,
    envelope: Envelope,
}

#[derive(Deserialize, Serialize)]
struct Material {
    certificate: String,
    transparency_entries: Vec<serde_json::Value>,
}

#[derive(Deserialize, Serialize)]
struct Envelope {
    statement: String,
    signature: String,
}

/// The part of an in-toto statement that binds it to a file.
#[derive(Deserialize)]
struct Statement {
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: String,
}

#[derive(Serialize)]
struct ProvenanceObject {
    version: u64,
    attestation_bundles: Vec<AttestationBundle>,
}

#[derive(Serialize)]
struct AttestationBundle {
    publisher: Publisher,
    attestations: Vec<Attestation>,
}

/// Building it reads some dozens of certificates; it never changes.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let root = TrustedRoot::from_embedded(SigstoreInstance::PublicGood)
        .expect("the trust root is part of the build");
    Verifier::new(&root).expect("… and whole")
});

/// Verifies the form's `attestations` for a file; the provenance object to serve, or `None` for an
/// empty array. Takes milliseconds of computing.
pub(super) fn verify(
    field: &str,
    filename: &DistFilename,
    sha256: &Sha256,
) -> Result<Option<String>, AttestError> {
    let attestations: Vec<Attestation> =
        serde_json::from_str(field).map_err(AttestError::NotAttestations)?;
    let mut bundles: Vec<AttestationBundle> = Vec::new();
    let mut seen = BTreeSet::new();
    for attestation in attestations {
        let predicate = check_statement(&attestation, filename, sha256)?;
        if !seen.insert(predicate.clone()) {
            return Err(AttestError::Twice(predicate));
        }
        let publisher = check_signature(&attestation, sha256)?;
        match bundles
            .iter_mut()
            .find(|bundle| bundle.publisher == publisher)
        {
            Some(bundle) => bundle.attestations.push(attestation),
            None => bundles.push(AttestationBundle {
                publisher,
                attestations: vec![attestation],
            }),
        }
    }
    if bundles.is_empty() {
        return Ok(None);
    }
    let object = ProvenanceObject {
        version: 1,
        attestation_bundles: bundles,
    };
    serde_json::to_string(&object)
        .map(Some)
        .map_err(AttestError::NotAttestations)
}

/// What was signed speaks of this file and no other; returns the predicate type.
fn check_statement(
    attestation: &Attestation,
    filename: &DistFilename,
    sha256: &Sha256,
) -> Result<String, AttestError> {
    use base64::Engine as _;
    if attestation.version != 1 {
        return Err(AttestError::UnknownVersion(attestation.version));
    }
    let unreadable = |error: &dyn std::fmt::Display| AttestError::Statement(error.to_string());
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&attestation.envelope.statement)
        .map_err(|error| unreadable(&error))?;
    let statement: Statement =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?;
    let [subject] = statement.subject.as_slice() else {
        return Err(AttestError::Subjects(statement.subject.len()));
    };
    if subject.name != filename.as_str() {
        return Err(AttestError::OtherFile {
            signed: subject.name.chars().take(200).collect(),
            uploaded: filename.clone(),
        });
    }
    if subject.digest.sha256 != sha256.to_string() {
        return Err(AttestError::OtherBytes);
    }
    if !PREDICATES.contains(&statement.predicate_type.as_str()) {
        let predicate = statement.predicate_type.chars().take(200).collect();
        return Err(AttestError::UnknownPredicate(predicate));
    }
    Ok(statement.predicate_type)
}

/// The signature is good, and was made when its certificate was; returns who signed.
fn check_signature(attestation: &Attestation, sha256: &Sha256) -> Result<Publisher, AttestError> {
    let refused = |error: &dyn std::fmt::Display| AttestError::Verification(error.to_string());
    let material = &attestation.verification_material;
    let bundle: Bundle = serde_json::from_value(serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": material.certificate},
            "tlogEntries": material.transparency_entries,
        },
        "dsseEnvelope": {
            "payload": attestation.envelope.statement,
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": attestation.envelope.signature}],
        },
    }))
    .map_err(|error| refused(&error))?;
    let digest = Sha256Hash::from_hex(&sha256.to_string()).map_err(|error| refused(&error))?;
    let verified = VERIFIER
        .verify(digest, &bundle, &VerificationPolicy::any_identity())
        .map_err(|error| refused(&error))?;
    Ok(Publisher::of(&verified))
}

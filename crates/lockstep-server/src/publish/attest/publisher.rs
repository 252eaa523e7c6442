//! Who signed an attestation, in the words that readers of the public index's provenance know.

use serde::Serialize;
use sigstore_verify::VerificationResult;

/// PEP 740's publisher object: a `kind`, and members that depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind")]
pub(super) enum Publisher {
    GitHub {
        claims: Option<()>,
        repository: String,
        workflow: String,
        environment: Option<String>,
    },
    GitLab {
        claims: Option<()>,
        repository: String,
        workflow_filepath: String,
        environment: Option<String>,
    },
    Google {
        claims: Option<()>,
        email: String,
    },
    /// Any other identity that the certificate names.
    Sigstore {
        claims: Option<()>,
        issuer: String,
        identity: String,
    },
}

impl Publisher {
    /// From a certificate that has been verified.
    pub(super) fn of(verified: &VerificationResult) -> Self {
        let issuer = verified.issuer().unwrap_or_default().to_owned();
        let identity = verified
            .identity()
            .map_or_else(String::new, |identity| identity.as_str().to_owned());
        let environment = verified
            .certificate()
            .and_then(|certificate| certificate.ci_claims.deployment_environment.clone());
        Self::from_identity(issuer, identity, environment)
    }

    fn from_identity(issuer: String, identity: String, environment: Option<String>) -> Self {
        match issuer.as_str() {
            "https://token.actions.githubusercontent.com" => {
                if let Some((repository, workflow)) =
                    parts(&identity, "https://github.com/", "/.github/workflows/")
                {
                    return Self::GitHub {
                        claims: None,
                        repository,
                        workflow,
                        environment,
                    };
                }
            }
            "https://gitlab.com" => {
                if let Some((repository, workflow_filepath)) =
                    parts(&identity, "https://gitlab.com/", "//")
                {
                    return Self::GitLab {
                        claims: None,
                        repository,
                        workflow_filepath,
                        environment,
                    };
                }
            }
            "https://accounts.google.com" => {
                return Self::Google {
                    claims: None,
                    email: identity,
                };
            }
            _ => {}
        }
        Self::Sigstore {
            claims: None,
            issuer,
            identity,
        }
    }
}

/// `{host}{repository}{between}{workflow}@{ref}`
fn parts(identity: &str, host: &str, between: &str) -> Option<(String, String)> {
    let (place, _) = identity.rsplit_once('@')?;
    let (repository, workflow) = place.strip_prefix(host)?.split_once(between)?;
    Some((repository.to_owned(), workflow.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(issuer: &str, identity: &str) -> serde_json::Value {
        let publisher = Publisher::from_identity(issuer.to_owned(), identity.to_owned(), None);
        serde_json::to_value(publisher).expect("serializes")
    }

    #[test]
    fn publishers_are_named_as_in_the_public_index() {
        assert_eq!(
            of(
                "https://token.actions.githubusercontent.com",
                "https://github.com/pypa/sampleproject/.github/workflows/release.yml@refs/tags/v4"
            ),
            serde_json::json!({"kind": "GitHub", "claims": null, "repository": "pypa/sampleproject",
                               "workflow": "release.yml", "environment": null})
        );
        assert_eq!(
            of(
                "https://gitlab.com",
                "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/heads/main"
            ),
            serde_json::json!({"kind": "GitLab", "claims": null, "repository": "group/sub/project",
                               "workflow_filepath": ".gitlab-ci.yml", "environment": null})
        );
        assert_eq!(
            of("https://accounts.google.com", "me@example.org"),
            serde_json::json!({"kind": "Google", "claims": null, "email": "me@example.org"})
        );
        assert_eq!(
            of("https://ci.example.org", "https://ci.example.org/job/7"),
            serde_json::json!({"kind": "Sigstore", "claims": null,
                               "issuer": "https://ci.example.org",
                               "identity": "https://ci.example.org/job/7"})
        );
    }
}

//! Access tokens: how they look, what they allow, how a request shows one.
//!
//! The secret exists in clear only at its creation and in a request's header; everything else sees
//! its SHA-256. The look-up compares hashes in an index, and not in constant time. It need not: what its
//! timing could tell is how far the hash of a guess agrees with a kept hash, and nobody can choose a
//! secret by the first bytes of its hash, nor get from these to a secret of 256 random bits.

use std::fmt;
use std::str::FromStr;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use lockstep_core::digest::Sha256;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_store::tokens::TokenId;
use lockstep_store::{Client, StoreError, tokens};
use rand::RngCore as _;

use crate::error::ApiError;

/// How every token begins, so that secret scanners find one that leaked.
const PREFIX: &str = "lsk_";

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Uploads to any project.
    Upload,
    /// Uploads to one project.
    UploadTo(NormalizedName),
    /// Yank, remove, status.
    Manage,
    /// Purges, webhooks.
    Operate,
    /// Reading what is not public.
    Read,
}

/// A text that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope: expected upload, upload:PROJECT, manage, operate or read")]
pub struct ScopeError(String);

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        match text {
            "upload" => Ok(Self::Upload),
            "manage" => Ok(Self::Manage),
            "operate" => Ok(Self::Operate),
            "read" => Ok(Self::Read),
            other => other
                .strip_prefix("upload:")
                .and_then(|name| name.parse::<ProjectName>().ok())
                .map(|name| Self::UploadTo(name.normalized()))
                .ok_or_else(|| ScopeError(other.to_owned())),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload => f.write_str("upload"),
            Self::UploadTo(project) => write!(f, "upload:{project}"),
            Self::Manage => f.write_str("manage"),
            Self::Operate => f.write_str("operate"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// A new secret: 256 random bits behind the prefix.
pub fn new_secret() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    format!("{PREFIX}{}", engine.encode(bytes))
}

/// What is kept of a secret.
pub fn hash(secret: &str) -> Sha256 {
    Sha256::of(secret.as_bytes())
}

/// A request's token, found to be valid.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// Which one, for what is counted per token.
    pub(crate) id: TokenId,
    /// The token's name, for the log.
    pub name: String,
    scopes: Vec<Scope>,
}

impl Bearer {
    /// Whether it may upload anything at all; asked before the body is read.
    pub fn may_upload_something(&self) -> bool {
        self.scopes
            .iter()
            .any(|scope| matches!(scope, Scope::Upload | Scope::UploadTo(_)))
    }

    /// Whether it may yank, remove and mark.
    pub fn may_manage(&self) -> bool {
        self.scopes.contains(&Scope::Manage)
    }

    /// Whether it may upload to this project.
    pub fn may_upload_to(&self, project: &NormalizedName) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Upload => true,
            Scope::UploadTo(allowed) => allowed == project,
            _ => false,
        })
    }
}

/// The secret that a request shows; 403 without one, as the public index answers.
pub(crate) fn shown(headers: &HeaderMap) -> Result<String, ApiError> {
    secret(headers).ok_or_else(|| {
        refused(
            "Invalid or non-existent authentication information: expected the user name \
             __token__ with a token (lsk_...) as its password.",
        )
    })
}

/// The valid token with this secret; its use is noted.
pub(crate) async fn look_up(
    client: &impl Client,
    secret: &str,
) -> Result<Option<Bearer>, StoreError> {
    let found = tokens::look_up(client, hash(secret)).await?;
    Ok(found.map(|found| Bearer {
        id: found.id,
        name: found.name,
        // A scope that this version does not know allows nothing.
        scopes: found
            .scopes
            .iter()
            .filter_map(|scope| scope.parse().ok())
            .collect(),
    }))
}

/// 403: there is no valid token with the secret that was shown.
pub(crate) fn unknown() -> ApiError {
    refused("Invalid authentication information: the token is unknown, expired or revoked.")
}

fn refused(message: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
}

/// Basic `__token__:lsk_…`, or Bearer.
fn secret(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    let secret = if scheme.eq_ignore_ascii_case("basic") {
        let engine = base64::engine::general_purpose::STANDARD;
        let decoded = String::from_utf8(engine.decode(credentials.trim()).ok()?).ok()?;
        decoded.strip_prefix("__token__:")?.to_owned()
    } else if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        credentials.trim().to_owned()
    } else {
        return None;
    };
    secret.starts_with(PREFIX).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().expect("header"));
        headers
    }

    #[test]
    fn basic_and_bearer_are_read_and_nothing_else() {
        let encoded = base64::engine::general_purpose::STANDARD.encode("__token__:lsk_abc");
        assert_eq!(
            secret(&with(&format!("Basic {encoded}"))),
            Some("lsk_abc".to_owned())
        );
        assert_eq!(secret(&with("Bearer lsk_abc")), Some("lsk_abc".to_owned()));
        let user = base64::engine::general_purpose::STANDARD.encode("me:lsk_abc");
        for bad in [
            format!("Basic {user}"),
            "Basic !".to_owned(),
            "Bearer abc".to_owned(),
        ] {
            assert_eq!(secret(&with(&bad)), None, "{bad}");
        }
    }

    #[test]
    fn scopes_read_back_and_secrets_differ() {
        for scope in ["upload", "upload:some-project", "manage", "operate", "read"] {
            assert_eq!(scope.parse::<Scope>().expect("scope").to_string(), scope);
        }
        assert!("upload:".parse::<Scope>().is_err());
        assert_ne!(new_secret(), new_secret());
        assert!(new_secret().len() > 40);
    }
}

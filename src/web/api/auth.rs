//! Bearer tokens with scopes (RFC 6750), known by their hashes only.

use std::sync::Arc;

use axum::{
    Extension,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use super::super::{Parts, Problem, WebResult};
use crate::{model::seal::secret_hash, store::TokenRow};

pub(super) const EVENTS_WRITE: &str = "events:write";
pub(super) const CONTRIBUTIONS_READ: &str = "contributions:read";
pub(super) const SUBSCRIBERS_WRITE: &str = "subscribers:write";
pub(super) const SCOPES: [&str; 3] = [EVENTS_WRITE, CONTRIBUTIONS_READ, SUBSCRIBERS_WRITE];

/// Who calls: the token's name, for the record.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub String);

/// Lets only those in whose token has one of these scopes, before the body is read.
pub(super) fn guarded(
    methods: MethodRouter<Arc<Parts>>,
    parts: &Arc<Parts>,
    scopes: &'static [&'static str],
) -> MethodRouter<Arc<Parts>> {
    let parts = Arc::clone(parts);
    methods.route_layer(middleware::from_fn(move |request: Request, next: Next| {
        let parts = Arc::clone(&parts);
        async move { guard(&parts, scopes, request, next).await }
    }))
}

async fn guard(
    parts: &Parts,
    scopes: &'static [&'static str],
    mut request: Request,
    next: Next,
) -> Response {
    match allowed(parts, request.headers(), scopes).await {
        Ok(token) => {
            request.extensions_mut().insert(Caller(token.name));
            next.run(request).await
        }
        Err(problem) => {
            let status = problem.status;
            let mut response = problem.into_response();
            let challenge = match status {
                StatusCode::UNAUTHORIZED => "Bearer realm=\"portevoix\"",
                StatusCode::FORBIDDEN => "Bearer realm=\"portevoix\", error=\"insufficient_scope\"",
                _ => return response,
            };
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
    }
}

async fn allowed(parts: &Parts, headers: &HeaderMap, scopes: &[&str]) -> WebResult<TokenRow> {
    let secret = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim());
    let unknown = |detail: &str| Problem::new(StatusCode::UNAUTHORIZED, detail);
    let Some(secret) = secret else {
        return Err(unknown("a token is missing: send `Authorization: Bearer <token>`"));
    };
    let token = parts.store.token(&secret_hash(secret)).await?;
    let token = token.ok_or_else(|| unknown("the token is not known, or was revoked"))?;
    if token.scopes.split_whitespace().any(|scope| scopes.contains(&scope)) {
        Ok(token)
    } else {
        let detail = format!("the token lacks the scope {}", scopes.join(" or "));
        Err(Problem::new(StatusCode::FORBIDDEN, detail))
    }
}

pub(super) type Known = Extension<Caller>;

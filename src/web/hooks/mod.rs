//! Providers' webhooks: read by the channel that knows them, stored, and only then answered.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use portevoix_contract::{Hook, HookError, HookRead, HookRequest, NotStored};

use super::Parts;
use crate::telemetry::HOOKS_REFUSED_TOTAL;

pub fn routes(parts: &Arc<Parts>) -> Router<Arc<Parts>> {
    let mut router = Router::new();
    for hook in &parts.hooks {
        let path = format!("/hooks/{}", hook.path());
        let hook = Arc::clone(hook);
        let called = async move |State(parts): State<Arc<Parts>>,
                                 method: Method,
                                 uri: Uri,
                                 headers: HeaderMap,
                                 body: Result<Bytes, BytesRejection>| {
            match body {
                Ok(body) => {
                    let request = request(&parts, &method, &uri, &headers, &body);
                    answer(&*hook, &parts, &request).await
                }
                Err(rejection) => rejection.status().into_response(),
            }
        };
        router = router.route(&path, on(MethodFilter::GET.or(MethodFilter::POST), called));
    }
    router.layer(DefaultBodyLimit::max(parts.settings.http.max_body_bytes))
}

/// The request as the provider made it: signatures cover the public address, not ours.
fn request(
    parts: &Parts,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> HookRequest {
    let base = parts.settings.http.public_url.as_str().trim_end_matches('/');
    let path = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
    let query = uri.query().unwrap_or_default().as_bytes();
    HookRequest {
        method: method.as_str().to_owned(),
        url: format!("{base}{path}"),
        query: url::form_urlencoded::parse(query).into_owned().collect(),
        headers: headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect(),
        body: body.to_vec(),
        received_at_ms: parts.clock.now_ms(),
    }
}

async fn answer(hook: &dyn Hook, parts: &Parts, request: &HookRequest) -> Response {
    let path = hook.path();
    let read = match hook.read(request) {
        Ok(read) => read,
        Err(HookError::NotSigned) => {
            metrics::counter!(HOOKS_REFUSED_TOTAL, "hook" => path.to_owned()).increment(1);
            return StatusCode::FORBIDDEN.into_response();
        }
        Err(HookError::NotUnderstood(why)) => {
            tracing::error!(hook = path, why, "a signed webhook was not understood");
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    let (text, kind) = read.answer.clone();
    match store(parts, read).await {
        Ok(()) => {
            let kind = if kind.is_empty() { "text/plain; charset=utf-8" } else { kind };
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::warn!(hook = path, %error, "the provider is asked to try again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn store(parts: &Parts, read: HookRead) -> Result<(), NotStored> {
    for inbound in read.inbound {
        parts.sink.inbound(inbound).await?;
    }
    for receipt in read.receipts {
        parts.sink.receipt(receipt).await?;
    }
    Ok(())
}

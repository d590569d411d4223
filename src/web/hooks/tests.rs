use std::sync::Arc;

use portevoix_contract::{Hook, HookError, HookRead, HookRequest, Inbound, Receipt, ReceiptState};

use crate::web::testing::{NOW, Server};

/// Signed by a header; what the body says decides the rest.
struct Provider;

impl Hook for Provider {
    fn path(&self) -> &str {
        "sms/essai"
    }

    fn read(&self, request: &HookRequest) -> Result<HookRead, HookError> {
        if request.header("x-signature") != Some(request.url.as_str()) {
            return Err(HookError::NotSigned);
        }
        let text = String::from_utf8_lossy(&request.body).into_owned();
        if text == "?" {
            return Err(HookError::NotUnderstood("a question mark".to_owned()));
        }
        let inbound = Inbound {
            channel: "sms".to_owned(),
            provider_id: request.query.first().map(|(_, id)| id.clone()).unwrap_or_default(),
            from: "+33612345678".to_owned(),
            to: "38123".to_owned(),
            text: Some(text),
            choice: None,
            in_reply_to: None,
            reference: None,
            edited: false,
            raw: request.body.clone(),
            received_at_ms: request.received_at_ms,
        };
        let receipt = Receipt {
            channel: "sms".to_owned(),
            reference: "r1".to_owned(),
            state: ReceiptState::Delivered,
            why: String::new(),
            at_ms: request.received_at_ms,
        };
        Ok(HookRead {
            inbound: vec![inbound],
            receipts: vec![receipt],
            answer: ("<Response/>".to_owned(), "text/xml"),
        })
    }
}

async fn call(server: &Server, method: &str, body: &str, signed: bool) -> reqwest::Response {
    let url = format!("{}/hooks/sms/essai?id=a%20b&x=1", server.url);
    let mut request = server.http.request(method.parse().unwrap(), &url).body(body.to_owned());
    if signed {
        request = request.header("X-Signature", url);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn what_is_signed_is_stored_and_then_answered() {
    let server = Server::with_hooks(vec![Arc::new(Provider)]).await;
    for method in ["POST", "GET"] {
        let response = call(&server, method, "oui", true).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/xml");
        assert_eq!(response.text().await.unwrap(), "<Response/>");
    }
    let inbound = server.sink.inbound.lock().unwrap().clone();
    assert_eq!(inbound.len(), 2);
    assert_eq!((inbound[0].provider_id.as_str(), inbound[0].received_at_ms), ("a b", NOW));
    assert_eq!(server.sink.receipts.lock().unwrap().len(), 2);
    assert_eq!(call(&server, "PUT", "oui", true).await.status(), 405);
}

#[tokio::test]
async fn what_is_not_signed_or_understood_or_stored_is_not_said_to_be_received() {
    let server = Server::with_hooks(vec![Arc::new(Provider)]).await;
    assert_eq!(call(&server, "POST", "oui", false).await.status(), 403);
    assert_eq!(call(&server, "POST", "?", true).await.status(), 400);
    let huge = "a".repeat(3_000_000);
    assert_eq!(call(&server, "POST", &huge, true).await.status(), 413);
    *server.sink.refuse.lock().unwrap() = true;
    assert_eq!(call(&server, "POST", "oui", true).await.status(), 503);
    assert!(server.sink.inbound.lock().unwrap().is_empty());
    let (_, metrics) = server.read("/metrics").await;
    assert!(metrics.contains("portevoix_hooks_refused_total{hook=\"sms/essai\"} 1"));
    assert_eq!(server.read("/hooks/sms/autre").await.0, 404);
}

use serde_json::{Value, json};

use crate::{
    model::seal::Purpose,
    store::{EventRow, Plan, Who},
    web::testing::{NOW, Server, TOKEN, opened},
};

/// A server with one broadcast.
async fn with_broadcast() -> (Server, EventRow) {
    let server = Server::start().await;
    let row = server.take_event(&opened("e1")).await;
    (server, row)
}

async fn answer(server: &Server, code: &str, form: &[(&str, &str)]) -> (u16, String, String) {
    let response = server.post(&format!("/c/{code}")).form(form).send().await.unwrap();
    let status = response.status().as_u16();
    let to = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (status, to.unwrap_or_default(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_broadcast_is_a_page_in_each_version_that_exists() {
    let (server, row) = with_broadcast().await;
    let response = server.get(&format!("/c/{}", row.code)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'"));
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
    assert!(headers.get("set-cookie").is_none());
    let page = response.text().await.unwrap();
    for part in [
        "<html lang=\"fr\">",
        "<h1>Un parc pour &lt;tous&gt; {{ 7 * 7 }}</h1>",
        "<h2>Le projet</h2>",
        "<strong>hectares</strong>",
        "&lt;script&gt;alert(1)&lt;/script&gt; {% raw %}",
        "<li>arbres</li>",
        "vendredi 15 janvier 2027",
        "Que préférez-vous ?",
        "type=\"radio\" name=\"choice\" id=\"choice-2\" value=\"2\"",
        "Concertation et citoyenneté",
        "register=plain",
        "lang=nl",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    assert!(!page.contains("<script"));
    assert_eq!(page.matches("<h1").count(), 1);

    let (_, plain) = server.read(&format!("/c/{}?register=plain", row.code)).await;
    assert!(plain.contains("Il y aura un parc."));
    assert!(plain.contains("Version simplifiée"));
    let (_, dutch) = server.read(&format!("/c/{}?lang=nl", row.code)).await;
    assert!(dutch.contains("<html lang=\"nl\">") && dutch.contains("Uw mening"));
    // no plain Dutch was written: the standard one in that language is shown
    let (_, dutch) = server.read(&format!("/c/{}?lang=nl&register=plain", row.code)).await;
    assert!(dutch.contains("Een park voor iedereen"));
    for wrong in ["/c/inconnu", "/c/%00", "/c/..%2f..", "/c/inconnu/thanks"] {
        assert_eq!(server.read(wrong).await.0, 404, "{wrong}");
    }
}

#[tokio::test]
async fn an_answer_is_handed_over_and_thanked_for() {
    let (server, row) = with_broadcast().await;
    let (status, to, _) =
        answer(&server, &row.code, &[("choice", "2"), ("text", " Des chênes & {{ 7*7 }} ")]).await;
    assert_eq!(status, 303);
    let inbound = server.sink.inbound.lock().unwrap().remove(0);
    assert_eq!((inbound.channel.as_str(), inbound.to.as_str()), ("web", row.code.as_str()));
    assert_eq!(inbound.text.as_deref(), Some("Des chênes & {{ 7*7 }}"));
    assert_eq!((inbound.choice.as_deref(), inbound.received_at_ms), (Some("2"), NOW));
    assert_eq!(inbound.from, "");
    let (status, page) = server.read(&to).await;
    assert_eq!(status, 200);
    assert!(page.contains(&inbound.provider_id));
    // a link can't put words into the page
    let (_, page) = server.read(&format!("/c/{}/thanks?ref=Appelez+le+0899", row.code)).await;
    assert!(!page.contains("0899"));
}

#[tokio::test]
async fn what_is_no_answer_is_said_and_kept() {
    let (server, row) = with_broadcast().await;
    let long = "é".repeat(10_001);
    for form in [vec![], vec![("text", "  ")], vec![("choice", "9")], vec![("text", long.as_str())]]
    {
        let (status, _, page) = answer(&server, &row.code, &form).await;
        assert_eq!(status, 422);
        assert!(page.contains("role=\"alert\""));
    }
    let (status, ..) = answer(&server, &row.code, &[("text", &"é".repeat(10_000))]).await;
    assert_eq!(status, 303);
    let (status, ..) = answer(&server, &row.code, &[("text", &"é".repeat(300_000))]).await;
    assert_eq!(status, 413);
    *server.sink.refuse.lock().unwrap() = true;
    let (status, _, page) = answer(&server, &row.code, &[("text", "Gardez <ceci>")]).await;
    assert_eq!(status, 503);
    assert!(page.contains("Gardez &lt;ceci&gt;</textarea>"));
}

#[tokio::test]
async fn one_place_cannot_answer_without_end() {
    let (server, row) = with_broadcast().await;
    for _ in 0..20 {
        assert_eq!(answer(&server, &row.code, &[("text", "oui")]).await.0, 303);
    }
    assert_eq!(answer(&server, &row.code, &[("text", "oui")]).await.0, 429);
    assert_eq!(server.sink.inbound.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn a_consultation_that_is_over_takes_no_answer() {
    let server = Server::start().await;
    let mut event = opened("e1");
    event["data"]["consultation"]["opens"] = json!("2026-10-01");
    event["data"]["consultation"]["closes"] = json!("2026-11-22");
    let row = server.take_event(&event).await;
    let (_, page) = server.read(&format!("/c/{}", row.code)).await;
    assert!(!page.contains("<form"));
    assert!(page.contains("La concertation est terminée"));
    assert_eq!(answer(&server, &row.code, &[("text", "oui")]).await.0, 409);
    assert!(server.sink.inbound.lock().unwrap().is_empty());
}

/// A citizen with two addresses, one delivery each planned; their id and the delivery's.
async fn with_citizen(server: &Server) -> (i64, i64) {
    let given = json!({
        "external_id": "m1", "email": "marie.dupont@example.org", "phone": "0612345678",
        "first_name": "Marie", "commune": "59350", "consent_at": "2026-11-20",
        "consent_source": "guichet",
    });
    let response =
        server.post("/api/v1/subscribers").bearer_auth(TOKEN).json(&given).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let citizen = server.parts.store.citizen_named("m1").await.unwrap().unwrap();
    let row = server.take_event(&opened("e1")).await;
    let plan = Plan {
        event: row.id,
        consultation: row.consultation.clone(),
        who: Who::Audience,
        communes: Vec::new(),
        themes: Vec::new(),
        groups: Vec::new(),
        now: NOW,
        deadline: None,
        daily_at: NOW,
        weekly_at: NOW,
        plain_waits_until: NOW,
        plain_languages: None,
    };
    assert_eq!(server.parts.store.plan_event(&plan).await.unwrap(), Some(1));
    let deliveries = server.parts.store.deliveries_of(citizen.id, 10).await.unwrap();
    assert_eq!(deliveries[0].channel, "email");
    (citizen.id, deliveries[0].id)
}

async fn states(server: &Server, citizen: i64) -> Vec<(String, String)> {
    let addresses = server.parts.store.addresses(citizen).await.unwrap();
    addresses.into_iter().map(|address| (address.channel, address.state)).collect()
}

async fn told(server: &Server) -> Vec<String> {
    let rows = server.parts.store.unsent(20).await.unwrap();
    rows.into_iter().map(|row| row.subject.rsplit('.').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn only_a_post_unsubscribes_and_it_does_so_once() {
    let server = Server::start().await;
    let (citizen, delivery) = with_citizen(&server).await;
    let path = format!("/u/{}", server.parts.sealer.token(Purpose::Unsubscribe, delivery));
    for _ in 0..2 {
        let (status, page) = server.read(&path).await;
        assert_eq!(status, 200);
        assert!(page.contains("method=\"post\"") && page.contains("One-Click"));
    }
    let head = server.http.head(format!("{}{path}", server.url)).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(states(&server, citizen).await[0], ("email".to_owned(), "active".to_owned()));

    // as a mail program does it, in either form
    let boundary = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n\
                    One-Click\r\n--x--\r\n";
    let multipart =
        server.post(&path).header("content-type", "multipart/form-data; boundary=x").body(boundary);
    let form = server.post(&path).form(&[("List-Unsubscribe", "One-Click")]);
    for request in [multipart, form] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers().get("set-cookie").is_none());
    }
    let expected = [("email", "suppressed"), ("sms", "active")].map(|(a, b)| (a.into(), b.into()));
    assert_eq!(states(&server, citizen).await, expected);
    assert_eq!(told(&server).await, ["joined", "left"]);
    let delivery = server.parts.store.delivery(delivery).await.unwrap().unwrap();
    assert_eq!(delivery.state, "suppressed");
}

#[tokio::test]
async fn a_token_opens_only_what_it_was_made_for() {
    let server = Server::start().await;
    let (citizen, delivery) = with_citizen(&server).await;
    let sealer = &server.parts.sealer;
    let other = sealer.token(Purpose::Delivery, delivery);
    let unknown = sealer.token(Purpose::Unsubscribe, 9_999);
    for path in [
        format!("/u/{other}"),
        format!("/u/{unknown}"),
        format!("/u/{}", sealer.token(Purpose::Citizen, citizen)),
        format!("/me/{}", sealer.token(Purpose::Unsubscribe, delivery)),
        "/u/x".to_owned(),
        "/me/x".to_owned(),
        "/me/x/data".to_owned(),
        "/me/x/erase".to_owned(),
    ] {
        assert_eq!(server.read(&path).await.0, 404, "{path}");
        let posted = server.post(&path).form(&[("confirm", "yes")]).send().await.unwrap();
        assert!(matches!(posted.status().as_u16(), 404 | 405), "{path}");
    }
    assert!(states(&server, citizen).await.iter().all(|(_, state)| state == "active"));
}

#[tokio::test]
async fn people_see_change_and_take_their_data() {
    let server = Server::start().await;
    let (citizen, _) = with_citizen(&server).await;
    let me = format!("/me/{}", server.parts.sealer.token(Purpose::Citizen, citizen));
    let (status, page) = server.read(&me).await;
    assert_eq!(status, 200);
    for part in ["m…@e….org", "+33…78", "Marie", "Lille", "vendredi 20 novembre 2026"] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    assert!(!page.contains("marie.dupont@example.org"));

    let post = async |below: &str, form: &[(&str, &str)]| {
        let response = server.post(&format!("{me}/{below}")).form(form).send().await.unwrap();
        response.status().as_u16()
    };
    assert_eq!(post("stop", &[("channel", "sms")]).await, 303);
    assert_eq!(states(&server, citizen).await[1].1, "suppressed");
    assert_eq!(post("resume", &[("channel", "sms")]).await, 303);
    assert_eq!(states(&server, citizen).await[1].1, "active");
    assert_eq!(post("stop", &[("channel", "telegram")]).await, 422);
    assert_eq!(post("preferences", &[("language", "nl"), ("register", "plain")]).await, 303);
    assert_eq!(post("preferences", &[("language", "xx"), ("register", "plain")]).await, 422);
    let (_, page) = server.read(&format!("{me}?done=saved")).await;
    assert!(page.contains("<html lang=\"nl\">") && page.contains("Uw voorkeuren zijn opgeslagen"));

    let response = server.get(&format!("{me}/data")).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let data: Value = response.json().await.unwrap();
    assert_eq!(data["email"], "marie.dupont@example.org");
    assert_eq!(data["register"], "plain");
    // given twice, withdrawn and given again by text message
    assert_eq!(data["consents"].as_array().unwrap().len(), 4);
    assert_eq!(data["messages_sent"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn people_are_erased_after_they_confirm() {
    let server = Server::start().await;
    let (citizen, delivery) = with_citizen(&server).await;
    let me = format!("/me/{}", server.parts.sealer.token(Purpose::Citizen, citizen));
    let (status, page) = server.read(&format!("{me}/erase")).await;
    assert!(status == 200 && page.contains("name=\"confirm\""));
    let post = async |form: &[(&str, &str)]| {
        server.post(&format!("{me}/erase")).form(form).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post(&[]).await, 422);
    assert!(server.parts.store.citizen(citizen).await.unwrap().is_some());
    assert_eq!(post(&[("confirm", "yes")]).await, 200);
    assert!(server.parts.store.citizen(citizen).await.unwrap().is_none());
    assert_eq!(server.read(&me).await.0, 404);
    // the link in a mail that was sent before still answers
    let path = format!("/u/{}", server.parts.sealer.token(Purpose::Unsubscribe, delivery));
    assert_eq!(server.post(&path).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_pages_of_the_law_exist_in_each_language() {
    let server = Server::start().await;
    for page in ["/accessibility", "/personal-data"] {
        for language in ["fr", "nl", "en", "xx"] {
            let (status, text) = server.read(&format!("{page}?lang={language}")).await;
            assert_eq!(status, 200);
            let shown = if language == "xx" { "fr" } else { language };
            assert!(text.contains(&format!("<html lang=\"{shown}\">")));
        }
    }
    let (_, page) = server.read("/accessibility").await;
    let style = page.split("href=\"/assets/").nth(1).unwrap().split('"').next().unwrap();
    let response = server.get(&format!("/assets/{style}")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    let response = server.get("/assets/style.css").send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-cache");
}

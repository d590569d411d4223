use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    intake::schema,
    model::outgoing::{CitizenData, OutgoingKind},
    store::{NewContribution, NewOutgoing},
    web::testing::{NOW, Server, TOKEN, opened},
};

async fn json_of(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.bearer_auth(TOKEN).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn publish(server: &Server, event: &Value) -> (u16, Value) {
    json_of(server.post("/api/v1/events").json(event)).await
}

#[tokio::test]
async fn an_event_is_taken_once_and_reaches_the_bus() {
    let server = Server::start().await;
    assert_eq!(
        publish(&server, &opened("e1")).await,
        (202, json!({ "id": "e1", "status": "accepted" }))
    );
    assert_eq!(
        publish(&server, &opened("e1")).await,
        (202, json!({ "id": "e1", "status": "duplicate" }))
    );
    let received = server.parts.bus.fetch(10, Duration::from_millis(200)).await.unwrap();
    assert_eq!(received.len(), 1);
    let message = &received[0].message;
    assert_eq!(message.subject, "participation.events.consultation.opened");
    assert_eq!(schema::parse(&message.headers, &message.payload).unwrap().id, "e1");

    server.take_event(&opened("e2")).await;
    assert_eq!(publish(&server, &opened("e2")).await.1["status"], "duplicate");
    let (status, balance) = json_of(server.get("/api/v1/events/e2")).await;
    assert_eq!((status, &balance["planned"]), (200, &json!(0)));
    assert_eq!(balance["type"], "fr.lillemetropole.participation.consultation.opened");
    assert_eq!(json_of(server.get("/api/v1/events/e9")).await.0, 404);
}

#[tokio::test]
async fn binary_mode_is_understood_and_travels_as_it_came() {
    let server = Server::start().await;
    let event = opened("binaire-1");
    let request = server
        .post("/api/v1/events")
        .header("ce-specversion", "1.0")
        .header("ce-id", "binaire-1")
        .header("ce-source", "/mel/%C3%A9cole")
        .header("ce-type", event["type"].as_str().unwrap())
        .json(&event["data"]);
    assert_eq!(json_of(request).await, (202, json!({ "id": "binaire-1", "status": "accepted" })));
    let received = server.parts.bus.fetch(10, Duration::from_millis(200)).await.unwrap();
    let message = &received[0].message;
    let read = schema::parse(&message.headers, &message.payload).unwrap();
    assert_eq!(read.source, "/mel/école");
}

#[tokio::test]
async fn what_is_wrong_with_an_event_is_named_by_path() {
    let server = Server::start().await;
    let mut event = opened("e1");
    event["data"]["audience"]["communes"] = json!(["59350", "75056"]);
    event["data"]["message"]["fr"].as_object_mut().unwrap().remove("title");
    let response =
        server.post("/api/v1/events").bearer_auth(TOKEN).json(&event).send().await.unwrap();
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: Value = response.json().await.unwrap();
    let paths: Vec<_> =
        body["problems"].as_array().unwrap().iter().map(|p| p["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/data/audience/communes/1", "/data/message/fr/title"]);

    for wrong in ["", "{", "[]", "null", "\u{feff}{}", "{\"specversion\":\"1.0\"}"] {
        let (status, body) =
            json_of(server.post("/api/v1/events").body(wrong).header("content-type", "text/x"))
                .await;
        assert_eq!(status, 422, "{wrong:?}");
        assert!(!body["problems"].as_array().unwrap().is_empty());
    }
    // nothing in a value is ever evaluated
    let mut event = opened("{{ 7 * 7 }}");
    event["data"]["consultation"]["title"]["fr"] = json!("{% for x in y %}");
    assert_eq!(publish(&server, &event).await.1["id"], "{{ 7 * 7 }}");
}

#[tokio::test]
async fn five_megabytes_are_refused_and_the_next_event_is_not() {
    let server = Server::start().await;
    let mut event = opened("grand");
    event["data"]["message"]["fr"]["body"] = json!("a".repeat(5_000_000));
    let (status, body) = publish(&server, &event).await;
    assert_eq!((status, &body["status"]), (413, &json!(413)));
    assert_eq!(publish(&server, &opened("petit")).await.0, 202);
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_say() {
    let server = Server::start().await;
    server.token("lecture", "contributions:read").await;
    for (token, path, method, expected) in [
        (None, "/api/v1/events", "POST", 401),
        (Some("faux"), "/api/v1/events", "POST", 401),
        (Some("lecture"), "/api/v1/events", "POST", 403),
        (Some("lecture"), "/api/v1/subscribers", "POST", 403),
        (Some("lecture"), "/api/v1/subscribers/x", "DELETE", 403),
        (Some("lecture"), "/api/v1/contributions", "GET", 200),
        (Some("lecture"), "/api/v1/events/e", "GET", 404),
        (None, "/api/v1/contributions", "GET", 401),
        (None, "/api/v1/elsewhere", "GET", 404),
    ] {
        let method: reqwest::Method = method.parse().unwrap();
        let mut request = server.http.request(method, format!("{}{path}", server.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), expected, "{token:?} {path}");
        assert_eq!(
            response.headers().contains_key("www-authenticate"),
            matches!(expected, 401 | 403)
        );
    }
    assert!(server.parts.store.revoke_token("test", NOW).await.unwrap());
    assert_eq!(json_of(server.get("/api/v1/contributions")).await.0, 401);
}

#[tokio::test]
async fn two_sources_with_one_id_have_to_be_told_apart() {
    let server = Server::start().await;
    server.take_event(&opened("e1")).await;
    let mut other = opened("e1");
    other["source"] = json!("/lille/mairie");
    server.take_event(&other).await;
    let (status, body) = json_of(server.get("/api/v1/events/e1")).await;
    assert_eq!(status, 409);
    assert!(body["detail"].as_str().unwrap().contains("/lille/mairie"));
    let one = server.get("/api/v1/events/e1").query(&[("source", "/lille/mairie")]);
    assert_eq!(json_of(one).await.0, 200);
}

async fn contribute(server: &Server, number: i64, event: i64, text: &str) {
    let id = format!("k{number:03}");
    let new = NewContribution {
        id: id.clone(),
        number: format!("PV-{number}"),
        consultation: "parc-sud".to_owned(),
        event: Some(event),
        citizen: None,
        author: format!("auteur{number}"),
        channel: "sms".to_owned(),
        language: "fr".to_owned(),
        text: text.to_owned(),
        answer: None,
        attachments: "[]".to_owned(),
        reply: None,
        // several in one millisecond
        received_at: NOW + number / 3,
    };
    let data = CitizenData {
        pseudonym: id.clone(),
        channel: crate::model::outgoing::ChannelName::Sms,
        commune: None,
    };
    let row =
        NewOutgoing::event(OutgoingKind::CitizenJoined, &id, "/t", server.parts.clock.now(), &data);
    assert!(server.parts.store.add_contribution(&new, &row, None, NOW).await.unwrap());
}

#[tokio::test]
async fn contributions_come_in_pages_that_miss_none() {
    let server = Server::start().await;
    let event = server.take_event(&opened("e1")).await.id;
    for number in 0..25 {
        contribute(&server, number, event, "oui").await;
    }
    let mut path = "/api/v1/contributions?consultation=parc-sud&limit=10".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let response = server.get(&path).bearer_auth(TOKEN).send().await.unwrap();
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let body: Value = response.json().await.unwrap();
        for item in body["items"].as_array().unwrap() {
            assert_eq!(item["in_reply_to"], "e1");
            seen.push(item["contribution_id"].as_str().unwrap().to_owned());
        }
        pages += 1;
        assert_eq!(body["next"].is_null(), link.is_none());
        let Some(link) = link else { break };
        assert!(link.ends_with("rel=\"next\""));
        let url = link.trim_start_matches('<').split('>').next().unwrap();
        path = url.strip_prefix(&server.url).unwrap().to_owned();
    }
    assert_eq!(pages, 3);
    let expected: Vec<_> = (0..25).map(|number| format!("k{number:03}")).collect();
    assert_eq!(seen, expected);
    let (_, none) = json_of(server.get("/api/v1/contributions?consultation=autre")).await;
    assert_eq!(none, json!({ "items": [], "next": null }));
    for wrong in ["cursor=x", "limit=0", "limit=1001", "limit=a"] {
        let (status, _) = json_of(server.get(&format!("/api/v1/contributions?{wrong}"))).await;
        assert_eq!(status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn contributions_as_csv_are_whole_and_harmless() {
    let server = Server::start().await;
    let event = server.take_event(&opened("e1")).await.id;
    contribute(&server, 1, event, "=1+1").await;
    contribute(&server, 2, event, "un, deux\n\"trois\"").await;
    let request = server.get("/api/v1/contributions").header("accept", "text/csv");
    let response = request.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let text = response.text().await.unwrap();
    let rows: Vec<_> =
        csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(&rows[0][6], "'=1+1");
    assert_eq!(&rows[1][6], "un, deux\n\"trois\"");
    assert_eq!(&rows[1][8], "e1");
}

#[tokio::test]
async fn a_subscriber_is_registered_read_and_erased() {
    let server = Server::start().await;
    let given = json!({
        "external_id": "guichet-7", "email": "Marie@Example.org", "phone": "06 12 34 56 78",
        "first_name": "Marie", "commune": "59350", "register": "plain",
        "channels": ["sms", "email"], "themes": ["nature"],
        "consent_at": "2026-11-20", "consent_source": "guichet",
    });
    let (status, done) = json_of(server.post("/api/v1/subscribers").json(&given)).await;
    assert_eq!((status, &done["new"]), (201, &json!(true)));
    let (status, again) = json_of(server.post("/api/v1/subscribers").json(&given)).await;
    assert_eq!((status, &again["id"]), (200, &done["id"]));

    let (_, known) = json_of(server.get("/api/v1/subscribers/guichet-7")).await;
    assert_eq!(known["email"], "marie@example.org");
    assert_eq!(known["phone"], "+33612345678");
    assert_eq!(known["channels"], json!(["sms", "email"]));
    assert_eq!(known["consent_at"], "2026-11-19T23:00:00Z");
    assert_eq!(known["first_name"], "Marie");

    let mut thief = given.clone();
    thief["external_id"] = json!("guichet-8");
    assert_eq!(json_of(server.post("/api/v1/subscribers").json(&thief)).await.0, 409);

    let path = format!("/api/v1/subscribers/{}", done["id"].as_str().unwrap());
    let erase = || server.http.delete(format!("{}{path}", server.url));
    assert_eq!(json_of(erase()).await.0, 204);
    assert_eq!(json_of(erase()).await.0, 404);
    assert_eq!(json_of(server.get(&path)).await.0, 404);
    let told: Vec<String> =
        server.parts.store.unsent(10).await.unwrap().into_iter().map(|row| row.subject).collect();
    assert_eq!(told, ["participation.citizens.joined", "participation.citizens.left"]);
}

#[tokio::test]
async fn a_wrong_subscriber_is_told_every_problem() {
    let server = Server::start().await;
    let given = json!({ "email": "marie", "commune": "Lille", "consent_at": "hier" });
    let (status, body) = json_of(server.post("/api/v1/subscribers").json(&given)).await;
    assert_eq!(status, 422);
    assert_eq!(body["problems"].as_array().unwrap().len(), 4, "{body}");
    let (status, _) = json_of(server.post("/api/v1/subscribers").body("{")).await;
    assert_eq!(status, 422);
    assert_eq!(server.parts.store.count_citizens().await.unwrap(), 0);
}

#[tokio::test]
async fn health_tells_what_is_away() {
    let server = Server::start().await;
    assert_eq!(server.read("/healthz").await, (200, "ok\n".to_owned()));
    let ready = json!({ "database": "ok", "bus": "ok" }).to_string();
    let (status, body) = server.read("/readyz").await;
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap().to_string()), (200, ready));
    let (_, metrics) = server.read("/metrics").await;
    assert!(
        metrics.lines().any(|line| line.starts_with("portevoix_channel_pending{channel=\"sms\"}"))
    );
    server.parts.store.close().await;
    let (status, body) = server.read("/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("away"));
    assert_eq!(server.read("/healthz").await.0, 200);
    assert_eq!(publish(&server, &opened("e1")).await.0, 503);
}

/// Every `$ref` inside a document leads somewhere in it.
fn references_hold(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|member| references_hold(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| references_hold(document, item)),
        _ => {}
    }
}

#[tokio::test]
async fn openapi_describes_routes_that_answer() {
    let server = Server::start().await;
    let document: Value = serde_json::from_str(&server.read("/openapi.json").await.1).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    references_hold(&document, &document);
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method: reqwest::Method = method.to_uppercase().parse().unwrap();
            let url = format!("{}{}", server.url, path.replace("{id}", "x").replace("{name}", "x"));
            let response = server.http.request(method, url).send().await.unwrap();
            assert_ne!(response.status(), 405, "{path}");
            let status = response.status().as_u16().to_string();
            assert!(operation["responses"][&status].is_object(), "{path} answers {status}");
            count += 1;
        }
    }
    assert_eq!(count, 12);
    for path in ["/api/v1/events", "/api/v1/contributions", "/api/v1/subscribers", "/readyz"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test]
async fn asyncapi_and_schemas_hold_every_type() {
    let server = Server::start().await;
    let document: Value = serde_json::from_str(&server.read("/asyncapi.json").await.1).unwrap();
    assert_eq!(document["asyncapi"], "3.0.0");
    references_hold(&document, &document);
    for kind in OutgoingKind::ALL {
        assert_eq!(document["channels"][kind.name()]["address"], kind.subject());
        assert_eq!(document["operations"][format!("tell.{}", kind.name())]["action"], "send");
        let (status, schema) = server.read(&format!("/schemas/{}.json", kind.name())).await;
        assert_eq!(status, 200);
        assert!(schema.contains(&kind.ce_type()));
    }
    assert_eq!(server.read("/schemas/none.json").await.0, 404);
    assert_eq!(server.read("/schemas/consultation.opened").await.0, 404);
    // what is really told fits what is described
    let given =
        json!({ "email": "a@example.org", "consent_at": "2026-11-20", "consent_source": "g" });
    assert_eq!(json_of(server.post("/api/v1/subscribers").json(&given)).await.0, 201);
    let row = server.parts.store.unsent(1).await.unwrap().remove(0);
    let event: Value = serde_json::from_str(&row.payload).unwrap();
    let mut whole = document.clone();
    whole["$ref"] = json!("#/components/schemas/citizen.joined");
    let validator = jsonschema::validator_for(&whole).unwrap();
    assert!(validator.is_valid(&event), "{event}");
    assert!(!validator.is_valid(&opened("e")));
}

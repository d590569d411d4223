use super::*;

const EXAMPLE: &str = include_str!("../../../tests/fixtures/events/contract-example.json");
const MANY_PROBLEMS: &str = include_str!("../../../tests/fixtures/events/many-problems.json");

fn changed(change: impl FnOnce(&mut Value)) -> Result<Event, Vec<Problem>> {
    let mut value = serde_json::from_str(EXAMPLE).unwrap();
    change(&mut value);
    parse_structured(value.to_string().as_bytes())
}

fn first(result: Result<Event, Vec<Problem>>) -> (String, String) {
    let problem = result.unwrap_err().remove(0);
    (problem.path, problem.problem)
}

#[test]
fn the_example_of_the_contract_is_read_and_written_back() {
    let event = parse_structured(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(event.kind, EventKind::ConsultationOpened);
    assert_eq!(event.data.consultation.closes, Some(jiff::civil::date(2027, 1, 15)));
    let again = serde_json::to_vec(&event).unwrap();
    assert_eq!(parse_structured(&again).unwrap(), event);
}

#[test]
fn only_what_the_contract_requires_is_required() {
    let event = changed(|value| {
        value["data"] = json!({
            "consultation": { "id": "parc", "title": { "fr": "Un parc" } },
            "message": { "fr": { "title": "Un parc", "body": "Votre avis ?" } },
            "question": null,
            "future": { "member": [1] },
        });
    });
    assert_eq!(event.unwrap().data.question, None);
}

#[test]
fn every_problem_is_told_with_its_path() {
    let problems = parse_structured(MANY_PROBLEMS.as_bytes()).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    /data/audience/communes/0: `75056` is no commune of the metropolis
    /data/audience/communes/1: `Lille` is no INSEE commune code such as 59350
    /data/audience/communes/2: must be text, not a number
    /data/consultation/closes: must be text, not a number
    /data/consultation/contact/email: `nobody` is no email address
    /data/consultation/id: is missing
    /data/consultation/opens: is no date such as 2027-01-15
    /data/consultation/title: `français` is no language tag (BCP 47)
    /data/consultation/url: `javascript:alert(1)` is no web address (https://…)
    /data/message/fr: is missing
    /data/message/nl/body: must not be empty
    /data/outcomes/0/decision: must be one of ["retained","partly","not_retained"]
    /data/outcomes/0/reason: must not be empty
    /data/question/options/0/key: `a b` is text with a space where none may be
    /data/question/options/2/key: `OUI` is the key of another option too
    /id: must not be empty
    /specversion: must be "1.0"
    /time: is no time such as 2026-11-23T09:00:00+01:00
    "#);
}

#[test]
fn what_is_no_event_at_all_is_refused() {
    assert_eq!(first(parse_structured(b"[1, 2]")).1, "is not a JSON object");
    assert!(first(parse_structured(b"{")).1.starts_with("is not JSON"));
    assert!(first(parse_structured(&vec![b' '; 5_000_000])).1.starts_with("has 5000000 bytes"));
    let unknown = first(changed(|value| value["type"] = json!("com.example.order")));
    assert_eq!(unknown.0, "/type");
}

#[test]
fn what_a_schema_cannot_say_is_checked_too() {
    let late = changed(|value| value["data"]["consultation"]["closes"] = json!("2026-01-15"));
    assert_eq!(first(late).0, "/data/consultation/closes");
    let foreign = changed(|value| value["data"]["audience"]["communes"][0] = json!("75056"));
    assert_eq!(
        first(foreign),
        (
            "/data/audience/communes/0".to_owned(),
            "`75056` is no commune of the metropolis".to_owned()
        )
    );
}

#[test]
fn binary_mode_reads_the_same_event() {
    let value: Value = serde_json::from_str(EXAMPLE).unwrap();
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    for name in ["specversion", "id", "source", "type", "time"] {
        headers.push((format!("ce-{name}"), value[name].as_str().unwrap().to_owned()));
    }
    headers[3].1 = "/mel%2Fconcertation".to_owned();
    let event = parse(&headers, value["data"].to_string().as_bytes()).unwrap();
    assert_eq!(event, parse(&[], EXAMPLE.as_bytes()).unwrap());
    headers.retain(|(name, _)| name != "ce-id");
    let missing = parse(&headers, value["data"].to_string().as_bytes());
    assert_eq!(first(missing), ("/id".to_owned(), "is missing".to_owned()));
}

#[test]
fn every_type_has_a_schema_of_its_own_that_its_own_events_fit() {
    let schemas = all_schemas();
    assert_eq!(schemas.len(), 20);
    for (name, schema) in schemas {
        assert_eq!(schema["$id"], format!("/schemas/{name}.json"));
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
    }
    assert!(schema(EventKind::MeetingScheduled).to_string().contains("registration"));
    assert!(
        !schema(EventKind::ProjectAnnounced)["$defs"]["EventData"]["properties"]
            .as_object()
            .unwrap()
            .contains_key("meeting")
    );
}

#[test]
fn what_the_gateway_says_fits_its_schema() {
    let data = serde_json::to_value(ContributionData {
        contribution_id: "c1".to_owned(),
        consultation_id: "parc-sud".to_owned(),
        author: "hirondelle-7".to_owned(),
        channel: crate::model::outgoing::ChannelName::Sms,
        language: "fr".to_owned(),
        text: "Des arbres".to_owned(),
        answer: None,
        in_reply_to: None,
        received_at: jiff::Timestamp::UNIX_EPOCH,
        attachments: Vec::new(),
    })
    .unwrap();
    let kind = OutgoingKind::ContributionReceived;
    let mut event = kind.cloudevent("c1", "/portevoix", jiff::Timestamp::UNIX_EPOCH, &data);
    let mut schema = outgoing_schema(kind);
    schema.as_object_mut().unwrap().remove("$id");
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&event), "{:?}", validator.validate(&event));
    event["data"]["channel"] = json!("fax");
    assert!(!validator.is_valid(&event));
}

#[test]
fn the_samples_are_events_as_publishers_have_to_write_them() {
    for kind in EventKind::ALL {
        let file = format!("{}/templates/samples/{kind}.json", env!("CARGO_MANIFEST_DIR"));
        let event = parse_structured(&std::fs::read(file).unwrap());
        assert_eq!(event.map(|event| event.kind), Ok(kind));
    }
}

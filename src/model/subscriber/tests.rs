use serde_json::json;

use super::*;

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200_000;

fn record(members: Value) -> SubscriberRecord {
    let mut all = json!({
        "email": "Marie.Dupont@Example.ORG",
        "consent_at": "2026-11-20",
        "consent_source": "guichet de Lille",
    });
    let object = all.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        object.insert(name.clone(), value.clone());
    }
    SubscriberRecord::from_json(&all).unwrap()
}

fn problems(members: Value) -> Vec<String> {
    match check(&record(members), NOW) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_least_is_enough_and_gets_its_defaults() {
    let checked = check(&record(json!({})), NOW).unwrap();
    assert_eq!(checked.addresses, [("email", "marie.dupont@example.org".to_owned())]);
    assert_eq!((checked.language.as_str(), checked.register), ("fr", "standard"));
    assert_eq!((checked.frequency, checked.age_band), ("immediate", "adult"));
    assert_eq!(paris::instant(checked.consent_at).to_string(), "2026-11-19T23:00:00Z");
}

#[test]
fn channels_are_the_persons_own_order_and_choice() {
    let all = json!({ "phone": "06 12 34 56 78", "telegram": 42, "channels": "telegram|sms" });
    let checked = check(&record(all), NOW).unwrap();
    let expected = [("telegram", "42".to_owned()), ("sms", "+33612345678".to_owned())];
    assert_eq!(checked.addresses, expected);
    assert_eq!(
        problems(json!({ "channels": ["sms", "email", "email", "fax"] })),
        [
            "/channels/0: `sms` is chosen and `phone` is empty",
            "/channels/2: `email` stands twice",
            "/channels/3: `fax` is none of email, sms, telegram",
        ]
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let told = problems(json!({
        "email": "marie", "phone": "12", "telegram": "@marie", "commune": "Lille",
        "language": "français", "register": "falc", "frequency": "hourly", "age_band": "12",
        "consent_at": "2027-11-20", "consent_source": " ", "first_name": "a\nb",
    }));
    for field in [
        "email",
        "phone",
        "telegram",
        "commune",
        "language",
        "register",
        "frequency",
        "age_band",
        "consent_at",
        "consent_source",
        "first_name",
    ] {
        let prefix = format!("/{field}:");
        let of_it = told.iter().filter(|problem| problem.starts_with(&prefix)).count();
        assert_eq!(of_it, 1, "{field} in {told:?}");
    }
    assert!(told.iter().any(|problem| problem.contains("INSEE code 59350")));
    assert_eq!(told.len(), 11);
}

#[test]
fn nothing_goes_without_an_address_or_consent() {
    let told = problems(json!({ "email": "", "consent_at": "", "consent_source": "" }));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(problems(json!({ "consent_at": "2026-11-20T14:00:00+01:00" })).is_empty());
    assert_eq!(problems(json!({ "consent_at": "20/11/2026" })).len(), 1);
}

#[test]
fn unknown_members_and_types_are_named() {
    let given = json!({ "emial": "a@example.org", "a/b": 1, "themes": [1], "phone": {} });
    let mut paths: Vec<_> =
        SubscriberRecord::from_json(&given).unwrap_err().into_iter().map(|p| p.path).collect();
    paths.sort();
    assert_eq!(paths, ["/a~1b", "/emial", "/phone", "/themes"]);
    assert!(SubscriberRecord::from_json(&json!([])).is_err());
}

#[test]
fn phones_are_french_of_the_mainland_and_overseas() {
    for (given, expected) in [
        ("06 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("0692 12 34 56", "+262692123456"),
        ("0690 30 12 34", "+590690301234"),
        ("0696201234", "+596696201234"),
        ("0694 20 12 34", "+594694201234"),
        ("+32 470 12 34 56", "+32470123456"),
        ("06 39 98 12 34", "+33639981234"),
    ] {
        assert_eq!(normal_phone(given).as_deref(), Ok(expected), "{given}");
    }
    for wrong in
        ["", "12", "+33", "03 20 21 22 23", "0899 12 34 56", "06 12 34 56", "sixty", "38123"]
    {
        assert!(normal_phone(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn emails_are_lower_case_with_an_ascii_domain() {
    for (given, expected) in [
        (" Jean.D+mel@Mairie.Example ", "jean.d+mel@mairie.example"),
        ("a@Bücher.example", "a@xn--bcher-kva.example"),
        ("élodie@lille.example", "élodie@lille.example"),
        ("o'neil@lille.example", "o'neil@lille.example"),
    ] {
        assert_eq!(normal_email(given).as_deref(), Ok(expected));
    }
    for wrong in [
        "",
        "@",
        "a@",
        "@b.fr",
        "a b@c.fr",
        "a@b",
        "a@[192.0.2.1]",
        "a@192.0.2.1",
        "a@-b.fr",
        "a..b@c.fr",
        "Marie <m@c.fr>",
        "a@b.fr\r\nBcc: x@y.fr",
        "a,b@c.fr",
    ] {
        assert!(normal_email(wrong).is_err(), "{wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn a_normal_form_stays_as_it_is(local in "[a-zA-Z0-9.+é]{1,20}", digits in "[0-9 +.-]{0,20}") {
        if let Ok(once) = normal_email(&format!("{local}@Exemple.example")) {
            proptest::prop_assert_eq!(normal_email(&once), Ok(once.clone()));
        }
        if let Ok(once) = normal_phone(&digits) {
            proptest::prop_assert_eq!(normal_phone(&once), Ok(once.clone()));
        }
    }
}

//! The demo's made-up citizens: spread over the 95 communes by population, in French, Dutch and
//! English, a tenth in plain language, each with their own channel order. The same ones each time.

use jiff::Timestamp;

use crate::model::{communes, subscriber::SubscriberRecord};

const FIRST_NAMES: [&str; 36] = [
    "Marie", "Ahmed", "Lucie", "Jean-Luc", "Fatima", "Thomas", "Inès", "Pierre", "Sofia", "Hugo",
    "Nadia", "Léo", "Camille", "Youssef", "Chloé", "Antoine", "Aminata", "Julien", "Sarah", "Paul",
    "Mélanie", "Karim", "Élodie", "Mathis", "Zoé", "Bernard", "Leïla", "Nicolas", "Rose", "Omar",
    "Agnès", "Lucas", "Manon", "Gérard", "Jeanne", "Ismaël",
];
const DUTCH_NAMES: [&str; 10] =
    ["Jan", "Anneke", "Pieter", "Lotte", "Wouter", "Sofie", "Bram", "Eline", "Koen", "Femke"];
const ENGLISH_NAMES: [&str; 10] =
    ["Emma", "James", "Olivia", "Liam", "Grace", "Noah", "Alice", "Oscar", "Ruby", "Arthur"];
const LAST_NAMES: [&str; 30] = [
    "dubois",
    "lefebvre",
    "vanhoutte",
    "delattre",
    "benali",
    "martin",
    "leroy",
    "dupont",
    "caron",
    "diallo",
    "lemaire",
    "desmet",
    "carpentier",
    "haddad",
    "petit",
    "moreau",
    "deroo",
    "traore",
    "fournier",
    "lambert",
    "masson",
    "nguyen",
    "roussel",
    "delannoy",
    "verhaeghe",
    "picard",
    "bouzid",
    "wattel",
    "cordier",
    "legrand",
];
const THEMES: [&str; 8] =
    ["nature", "mobilité", "logement", "culture", "énergie", "eau", "sport", "déchets"];
const ORDERS: [&[&str]; 10] = [
    &["email"],
    &["email", "sms"],
    &["email", "telegram"],
    &["email"],
    &["sms", "email"],
    &["sms"],
    &["telegram"],
    &["telegram", "email"],
    &["email", "sms", "telegram"],
    &["sms", "telegram", "email"],
];

/// xorshift64*: a sequence that is the same on every machine, which is all it is for.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or_default() % below
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}

/// `count` citizens who consented a week before `now`.
pub(super) fn made_up(count: usize, now: Timestamp) -> impl Iterator<Item = SubscriberRecord> {
    let consent_at = now - jiff::SignedDuration::from_hours(24 * 7);
    let consent_at = consent_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let all = communes::all();
    let total: u64 = all.iter().map(|commune| u64::from(commune.population)).sum();
    let mut dice = Dice(0x5EED_0F11_1E59_0000);
    (0..count).map(move |number| {
        // spaced evenly over the inhabitants: the share of each commune is right to one citizen
        let mut place = (number as u64 * total + total / 2) / count.max(1) as u64;
        let commune = all
            .iter()
            .find(|commune| {
                let here = place < u64::from(commune.population);
                place = place.saturating_sub(u64::from(commune.population));
                here
            })
            .map_or("59350", |commune| commune.code);
        citizen(number, commune, &consent_at, &mut dice)
    })
}

fn citizen(number: usize, commune: &str, consent_at: &str, dice: &mut Dice) -> SubscriberRecord {
    let language = match dice.roll(100) {
        0..=83 => "fr",
        84..=92 => "nl",
        _ => "en",
    };
    let first_name = match language {
        "nl" => dice.pick(&DUTCH_NAMES),
        "en" => dice.pick(&ENGLISH_NAMES),
        _ => dice.pick(&FIRST_NAMES),
    };
    let order = ORDERS[dice.roll(ORDERS.len())];
    let has = |channel: &str| order.contains(&channel);
    let handle: String = first_name
        .to_lowercase()
        .chars()
        .map(|char| match char {
            'é' | 'è' | 'ê' => 'e',
            'ï' | 'î' => 'i',
            'ë' => 'e',
            other => other,
        })
        .collect();
    let email = format!("{handle}.{}{number}@courriel.example", dice.pick(&LAST_NAMES));
    let mut themes: Vec<String> = vec![dice.pick(&THEMES).to_owned()];
    if dice.roll(2) == 0 {
        let second = dice.pick(&THEMES).to_owned();
        if !themes.contains(&second) {
            themes.push(second);
        }
    }
    let groups = match dice.roll(10) {
        0 | 1 => vec!["youth".to_owned()],
        2 => vec!["seniors".to_owned()],
        3 => vec!["associations".to_owned()],
        _ => Vec::new(),
    };
    let given = |yes: bool, value: String| if yes { value } else { String::new() };
    SubscriberRecord {
        external_id: format!("demo-{number:05}"),
        email: given(has("email"), email),
        // 06 39 98 is the range that ARCEP keeps for fiction
        phone: given(has("sms"), format!("+336399{:05}", 80_000 + number % 10_000)),
        telegram: given(has("telegram"), (100_000 + number).to_string()),
        first_name: first_name.to_owned(),
        commune: commune.to_owned(),
        language: language.to_owned(),
        register: if dice.roll(10) == 0 { "plain" } else { "standard" }.to_owned(),
        channels: order.iter().map(|channel| (*channel).to_owned()).collect(),
        age_band: if groups.contains(&"youth".to_owned()) { "15-25" } else { "adult" }.to_owned(),
        themes,
        groups,
        frequency: "immediate".to_owned(),
        consent_at: consent_at.to_owned(),
        consent_source: "demo".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn every_commune_has_its_share_and_everyone_is_valid() {
        let people: Vec<_> =
            made_up(2_000, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(500_000))
                .collect();
        assert_eq!(people.len(), 2_000);
        let mut by_commune: HashMap<&str, usize> = HashMap::new();
        for person in &people {
            *by_commune.entry(&person.commune).or_default() += 1;
            crate::model::subscriber::check(person, 500_000 * 3_600_000).unwrap();
        }
        let total: u64 = communes::all().iter().map(|c| u64::from(c.population)).sum();
        for commune in communes::all() {
            let share = 2_000.0 * f64::from(commune.population) / total as f64;
            let here = by_commune.get(commune.code).copied().unwrap_or_default() as f64;
            assert!((here - share).abs() <= 1.0, "{}: {here} of {share}", commune.name);
        }
        let plain = people.iter().filter(|p| p.register == "plain").count();
        assert!((140..=260).contains(&plain), "{plain}");
        for language in ["fr", "nl", "en"] {
            assert!(people.iter().any(|p| p.language == language));
        }
        let emails: HashSet<_> =
            people.iter().filter(|p| !p.email.is_empty()).map(|p| &p.email).collect();
        let phones: HashSet<_> =
            people.iter().filter(|p| !p.phone.is_empty()).map(|p| &p.phone).collect();
        assert_eq!(emails.len(), people.iter().filter(|p| !p.email.is_empty()).count());
        assert_eq!(phones.len(), people.iter().filter(|p| !p.phone.is_empty()).count());
    }
}

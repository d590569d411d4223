use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use super::{
    tree::{DEFAULTS, FREE_TABLES, SECRET_URLS, SECRETS, Tree, env_name},
    *,
};

const SECRET: &str = "s3cr3t-s3cr3t-s3cr3t";

fn problems(text: &str) -> Vec<String> {
    match Raw::from_toml(text).validate() {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn with_env(vars: &[(&str, &str)]) -> Result<Settings, Vec<ConfigProblem>> {
    let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Raw::from_toml("").with_env(vars).validate()
}

/// A configuration in which every provider is real and every secret is [`SECRET`].
fn everything_real() -> String {
    format!(
        r#"
        [identity]
        contact_email = "participation@lille.example"
        accessibility_statement = "https://participer.lille.example/accessibilite"
        personal_data = "https://participer.lille.example/donnees"
        [database]
        url = "postgres://portevoix:{SECRET},x@db.lille.example/portevoix?sslmode=require"
        [bus]
        url = "nats://gateway:{SECRET}@nats-1.lille.example,nats://nats-2.lille.example:4222"
        token = "{SECRET}"
        [http]
        public_url = "https://participer.lille.example"
        [email]
        provider = "smtp"
        smtp_url = "smtp://gateway:{SECRET}@smtp.lille.example:587"
        from = "Métropole <participation@lille.example>"
        reply_domain = "reponses.lille.example"
        [dkim]
        domain = "lille.example"
        rsa_key_file = "rsa.pem"
        ed25519_key_file = "ed25519.pem"
        [sms]
        provider = "ovh"
        [sms.ovh]
        application_key = "key"
        application_secret = "{SECRET}"
        consumer_key = "{SECRET}"
        service_name = "sms-ab12345-1"
        callback_secret = "{SECRET}"
        [sms.twilio]
        auth_token = "{SECRET}"
        [sms.http]
        url = "https://sms.lille.example/{SECRET}"
        headers = {{ Authorization = "Bearer {SECRET}" }}
        [telegram]
        provider = "bot"
        token = "12345:{SECRET}"
        mode = "webhook"
        webhook_secret = "{SECRET}"
        [metrics]
        token = "{SECRET}"
        "#
    )
}

#[test]
fn the_defaults_stand_alone() {
    let settings = Settings::from_toml("").unwrap();
    assert_eq!(settings.database.kind, DatabaseKind::Sqlite);
    assert_eq!(settings.database.url.expose_secret(), "sqlite://portevoix.db");
    assert!(settings.bus.nats.is_none());
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.email.from.address, "participation@example.org");
    assert_eq!(settings.email.from.name.as_deref(), Some("Métropole Européenne de Lille"));
    let hours = settings.sms.hours.unwrap();
    assert_eq!(
        (hours.from.to_string(), hours.until.to_string()),
        ("08:00:00".into(), "20:00:00".into())
    );
    assert_eq!(settings.outbox.max_backoff, std::time::Duration::from_secs(3 * 3_600));
}

/// The sections deny unknown fields and have no defaults of their own, so that reading the file
/// proves both directions: no setting without a line, no line without a setting.
#[test]
fn the_default_file_and_the_sections_hold_the_same_keys() {
    let table: toml::Table = DEFAULTS.parse().unwrap();
    table.clone().try_into::<Sections>().unwrap();
    for key in Tree::defaults().known() {
        let mut without = table.clone();
        let (parents, last) = key.rsplit_once('.').unwrap();
        let mut section = &mut without;
        for parent in parents.split('.') {
            section = section.get_mut(parent).unwrap().as_table_mut().unwrap();
        }
        let value = section.remove(last).unwrap();
        section.insert(format!("{last}x"), value);
        assert!(without.try_into::<Sections>().is_err(), "{key} is in no section");
    }
}

#[test]
fn every_secret_is_marked_in_the_default_file_and_no_other_setting_is() {
    let mut marked = BTreeSet::new();
    let (mut section, mut comment) = (String::new(), String::new());
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        } else if let Some(text) = line.strip_prefix('#') {
            comment.push_str(text);
            continue;
        } else if let Some((key, _)) = line.split_once(" = ")
            && comment.contains("(secret)")
        {
            marked.insert(format!("{section}.{key}"));
        }
        // settings that share a comment: the mark stands for the last
        comment.clear();
    }
    // its mark stands in the middle of a comment on two settings
    assert!(DEFAULTS.contains("(secret) the bearer token"));
    marked.remove("metrics.enabled");
    marked.insert("metrics.token".to_owned());
    let secrets: BTreeSet<_> =
        SECRETS.iter().chain(SECRET_URLS).map(|key| (*key).to_owned()).collect();
    assert_eq!(marked, secrets);
    let known: Vec<_> = Tree::defaults().known().map(ToOwned::to_owned).collect();
    assert!(FREE_TABLES.iter().all(|key| known.contains(&(*key).to_owned())));
}

#[test]
fn each_default_can_be_said_again_in_the_environment() {
    let tree = Tree::defaults();
    let vars: Vec<_> = tree
        .known()
        .map(|key| {
            let mut value = toml::Value::Table(tree.table().clone());
            for part in key.split('.') {
                value = value.get(part).unwrap().clone();
            }
            let text = match &value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Array(_) => String::new(),
                toml::Value::Table(_) => "{}".to_owned(),
                other => other.to_string(),
            };
            (env_name(key), text)
        })
        .collect();
    let settings = Raw::from_toml("").with_env(vars).validate().unwrap();
    assert_eq!(print_config(&settings), print_config(&Settings::from_toml("").unwrap()));
}

#[test]
fn the_environment_stands_above_the_file() {
    let raw = Raw::from_toml("[http]\nlisten = \"127.0.0.1:1\"\n[sms]\nper_second = 5\n");
    let settings = raw
        .with_env([
            ("PORTEVOIX_HTTP__LISTEN".to_owned(), "[::1]:9090".to_owned()),
            ("PORTEVOIX_SMS__TWILIO__AUTH_TOKEN".to_owned(), "0123".to_owned()),
            ("PORTEVOIX_HTTP__TRUSTED_PROXIES".to_owned(), "10.0.0.0/8, ::1".to_owned()),
            ("PORTEVOIX_DATABASE__MIGRATE".to_owned(), "true".to_owned()),
            ("HOME".to_owned(), "/root".to_owned()),
        ])
        .validate()
        .unwrap();
    assert_eq!(settings.http.listen.to_string(), "[::1]:9090");
    assert_eq!(settings.sms.per_second, Some(5.0));
    assert!(settings.database.migrate);
    let proxies = &settings.http.trusted_proxies;
    assert!(proxies[0].contains("10.1.2.3".parse().unwrap()));
    assert!(proxies[0].contains("::ffff:10.1.2.3".parse().unwrap()));
    assert!(!proxies[0].contains("11.0.0.1".parse().unwrap()));
    assert!(proxies[1].contains("::1".parse().unwrap()));
    assert!(!proxies[1].contains("::2".parse().unwrap()));
}

#[test]
fn a_network_of_no_bits_holds_everything() {
    let all: Network = "::/0".parse().unwrap();
    assert!(all.contains("192.0.2.1".parse().unwrap()));
    let four: Network = "0.0.0.0/0".parse().unwrap();
    assert!(four.contains("192.0.2.1".parse().unwrap()));
    assert!(!four.contains("2001:db8::1".parse().unwrap()));
    for bad in ["10.0.0.0/33", "10.0.0.0/", "10.0.0", "::/129", "/8"] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
}

#[test]
fn what_is_wrong_in_the_environment_names_the_variable() {
    let sentence = |name, value| {
        let problems = with_env(&[(name, value)]).unwrap_err();
        assert_eq!(problems.len(), 1);
        problems[0].to_string()
    };
    assert_eq!(
        sentence("PORTEVOIX_OUTBOX__BATCH", "many"),
        "outbox.batch (PORTEVOIX_OUTBOX__BATCH): is not a whole number; write digits only"
    );
    assert_eq!(
        sentence("PORTEVOIX_SMS__QUIET_HOURS", "off"),
        "sms.quiet_hours (PORTEVOIX_SMS__QUIET_HOURS): is neither true nor false; write true or false"
    );
    assert_eq!(
        sentence("PORTEVOIX_HTTP_LISTEN", "127.0.0.1:1"),
        "PORTEVOIX_HTTP_LISTEN: section and key are separated by one underscore; \
         write PORTEVOIX_HTTP__LISTEN"
    );
    assert_eq!(
        sentence("PORTEVOIX_HTTP__LISTN", "127.0.0.1:1"),
        "http.listn (PORTEVOIX_HTTP__LISTN): there is no such setting; did you mean http.listen?"
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let found = problems(
        "[http]\nlisten = \"here\"\npublic_urls = 3\n[bus]\nack_wait = 30\n[sms]\nhours = \"6-9\"\n",
    );
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn a_secret_can_stand_in_a_file() {
    let text = "[sms.twilio]\nauth_token_file = \"/run/secrets/twilio\"\n\
                [database]\nurl_file = \"/run/secrets/db\"\n";
    let read = |path: &Path| match path.to_str() {
        Some("/run/secrets/twilio") => Ok("from-the-file\n".to_owned()),
        Some("/run/secrets/db") => Ok("sqlite://other.db".to_owned()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let settings = Raw::from_toml(text).with_secret_files(read).validate().unwrap();
    assert_eq!(settings.database.url.expose_secret(), "sqlite://other.db");
    let printed = print_config(&settings);
    assert!(!printed.contains("from-the-file"), "{printed}");

    // what stands above replaces the file, whichever way it is given
    let above = [("PORTEVOIX_DATABASE__URL".to_owned(), "sqlite://env.db".to_owned())];
    let settings = Raw::from_toml(text).with_env(above).with_secret_files(read).validate().unwrap();
    assert_eq!(settings.database.url.expose_secret(), "sqlite://env.db");

    let missing = Raw::from_toml("[telegram]\ntoken_file = \"/none\"\n").with_secret_files(read);
    assert_eq!(
        missing.validate().unwrap_err()[0].to_string(),
        "telegram.token_file (portevoix.toml): /none can't be read: entity not found; \
         check the path, and that the program's user may read it"
    );
    assert_eq!(
        problems("[telegram]\ntoken = \"1:x\"\ntoken_file = \"/none\"\n"),
        ["telegram.token (portevoix.toml): is given twice, as telegram.token and as \
          telegram.token_file; keep one of them"]
    );
}

#[test]
fn a_described_provider_is_read_in_the_channels_words() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Words {
        url: String,
        secrets: std::collections::BTreeMap<String, String>,
    }
    let text = "[sms]\nprovider = \"http\"\n[sms.http]\nurl = \"http://127.0.0.1:1/{{ to }}\"\n\
                [sms.http.secrets]\nkey_file = \"/run/secrets/key\"\n";
    let env = [("PORTEVOIX_SMS__HTTP__SECRETS__OTHER".to_owned(), "12".to_owned())];
    let settings = Raw::from_toml(text)
        .with_env(env)
        .with_secret_files(|_| Ok("from-the-file\r\n".to_owned()))
        .validate()
        .unwrap();
    assert!(!print_config(&settings).contains("from-the-file"));
    let SmsProvider::Http(http) = settings.sms.provider else { panic!("{:?}", settings.sms) };
    let words: Words = http.read().unwrap();
    assert_eq!(words.url, "http://127.0.0.1:1/{{ to }}");
    assert_eq!(words.secrets["key"], "from-the-file");
    assert_eq!(words.secrets["other"], "12");
    assert!(http.read::<u8>().unwrap_err().starts_with("[sms.http] does not fit: "));
}

#[test]
fn no_secret_is_ever_shown() {
    let text = everything_real();
    let raw = Raw::from_toml(&text);
    let settings = raw.validate().unwrap();
    let shown = format!("{settings:?}\n{settings:#?}\n{}", print_config(&settings));
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let printed = print_config(&settings);
    assert!(printed.contains("smtp://:********@smtp.lille.example:587"), "{printed}");
    assert!(printed.contains("nats://nats-2.lille.example:4222"), "{printed}");

    // nor where it is wrong: each line that holds one, spoilt
    for (index, line) in text.lines().enumerate().filter(|(_, line)| line.contains("s3cr3t")) {
        let key = line.split_once('=').unwrap().0;
        for spoilt in [
            format!("{key}= \"s3cr3t:// @\""),
            format!("{key}= [\"s3cr3t\"]"),
            format!("{key}= \"s3cr3t"),
            format!("{key}x= \"s3cr3t\""),
        ] {
            let text: String = text
                .lines()
                .enumerate()
                .map(
                    |(at, line)| {
                        if at == index { format!("{spoilt}\n") } else { format!("{line}\n") }
                    },
                )
                .collect();
            let shown = problems(&text).join("\n");
            assert!(!shown.contains("s3cr3t"), "{shown}");
        }
    }
}

#[test]
fn the_settings_in_force_are_settings() {
    let printed = print_config(&Settings::from_toml("").unwrap());
    assert_eq!(print_config(&Settings::from_toml(&printed).unwrap()), printed);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portevoix.toml");
    let error = read(Some(&file), []).err().unwrap();
    assert!(error.to_string().contains("can't be read"), "{error}");
    std::fs::write(&file, "[http]\nlisten = \"127.0.0.1:4000\"\n").unwrap();
    let settings = read(Some(&file), []).unwrap().validate().unwrap();
    assert_eq!(settings.http.listen.port(), 4000);
    std::fs::write(&file, "[http]\n\nlisten = \n").unwrap();
    let problems = read(Some(&file), []).unwrap().validate().unwrap_err();
    assert!(problems[0].to_string().contains("line 3 is not TOML"), "{}", problems[0]);
}

#[test]
fn the_demo_stays_on_this_machine() {
    let folder = Path::new("/tmp/a ?demo#1");
    for listen in [None, Some("0.0.0.0:0"), Some("192.0.2.1:80"), Some("[::1]:8081")] {
        let settings = Settings::demo(folder, listen.map(|listen| listen.parse().unwrap()));
        assert!(matches!(settings.email.provider, EmailProvider::Sandbox));
        assert!(matches!(settings.sms.provider, SmsProvider::Sandbox));
        assert!(matches!(settings.telegram.provider, TelegramProvider::Sandbox));
        assert_eq!(settings.sms.hours, None);
        let url = settings.database.url.expose_secret();
        assert_eq!(url, "sqlite:///tmp/a %3Fdemo%231/portevoix.db");
    }
    let anywhere = Settings::demo(folder, Some("0.0.0.0:8080".parse().unwrap()));
    assert_eq!(anywhere.http.public_url.as_str(), "http://127.0.0.1:8080/");
}

/// The production configuration with secrets of the right form behind each `_file`.
fn production(text: &str) -> Settings {
    let read = |path: &Path| {
        let name = path.strip_prefix("/etc/portevoix/secrets").unwrap();
        Ok(match name.to_str().unwrap() {
            "database-url" => "postgres://portevoix:p@db.metropole.example/portevoix\n",
            "smtp-url" => "smtp://portevoix:p%40ss@smtp.metropole.example:587\n",
            "telegram-token" => "12345:abcdefghijklmnop\n",
            _ => "0123456789abcdef\n",
        }
        .to_owned())
    };
    match Raw::from_toml(text).with_secret_files(read).validate() {
        Ok(settings) => settings,
        Err(problems) => panic!("{}", ConfigError::from(problems)),
    }
}

#[test]
fn the_production_configuration_is_in_order() {
    let text = include_str!("../../deploy/portevoix.production.toml");
    let settings = production(text);
    assert_eq!(settings.database.kind, DatabaseKind::Postgres);
    assert!(matches!(settings.sms.provider, SmsProvider::Ovh(_)));
    assert_eq!(settings.dkim.unwrap().domain, settings.email.from.domain());

    // the other provider, as its comment says: in place of [sms] and [sms.ovh]
    let (before, rest) = text.split_once("[sms]\n").unwrap();
    let (_, rest) = rest.split_once("# With Twilio instead:\n").unwrap();
    let (twilio, after) = rest.split_once("\n[telegram]").unwrap();
    let twilio = twilio.replace("# ", "");
    let settings = production(&format!("{before}{twilio}\n[telegram]{after}"));
    assert!(matches!(settings.sms.provider, SmsProvider::Twilio(_)));
}

mod sentences;

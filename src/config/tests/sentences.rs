//! Each bad value and its sentence.

use super::problems;

/// What is wrong with `text`, which is one problem.
#[track_caller]
fn one(text: &str, sentence: &str) {
    assert_eq!(problems(text), [sentence.to_owned()]);
}

#[track_caller]
fn fine(text: &str) {
    assert_eq!(problems(text), Vec::<String>::new());
}

#[test]
fn names_and_types() {
    one(
        "[htpp]\nlisten = \"x\"",
        "htpp.listen (portevoix.toml): there is no such setting; did you mean http.listen?",
    );
    one(
        "[email]\nmax_segments = 3",
        "email.max_segments (portevoix.toml): there is no such setting; did you mean sms.max_segments?",
    );
    one(
        "colour = \"blue\"",
        "colour (portevoix.toml): there is no such setting; config.default.toml lists every setting",
    );
    one(
        "sms = \"ovh\"",
        "sms (portevoix.toml): is a section, not a setting; write [sms] and its settings below",
    );
    one(
        "[outbox]\nbatch = \"500\"",
        "outbox.batch (portevoix.toml): is a text, not a whole number; write it as in the defaults: 500",
    );
    one(
        "[http]\ntrusted_proxies = [1]",
        "http.trusted_proxies (portevoix.toml): has an entry that is not a text; \
         write every entry in quotes",
    );
}

#[test]
fn database_and_bus() {
    one(
        "[database]\nurl = \"mysql://h/db\"",
        "database.url (portevoix.toml): has another scheme, or no host; \
         write postgres://… or postgresql://… or sqlite://…",
    );
    one(
        "[database]\nurl = \"sqlite://\"",
        "database.url (portevoix.toml): names no file; write sqlite://FILE",
    );
    one(
        "[database]\nmax_connections = 1",
        "database.max_connections (portevoix.toml): 1 is out of range; choose 2 to 200",
    );
    one(
        "[bus]\nurl = \"nats://h\"\nuser = \"u\"",
        "bus.password: is missing; give it beside bus.user",
    );
    one(
        "[bus]\nurl = \"nats://h\"\ntoken = \"t\"\ncreds_file = \"c\"",
        "bus.creds_file (portevoix.toml): is not the only way to sign in; \
         keep one of creds_file, token, and user with password",
    );
    one(
        "[bus]\nurl = \"nats://h\"\nreplicas = 2",
        "bus.replicas (portevoix.toml): 2 copies can't agree; choose 1, 3 or 5",
    );
    one(
        "[bus]\nack_wait = \"1s\"",
        "bus.ack_wait (portevoix.toml): 1s is out of range; choose 5s to 10m",
    );
    one(
        "[bus]\nack_wait = \"soon\"",
        "bus.ack_wait (portevoix.toml): \"soon\" is not a duration; \
         write a number and ms, s, m, h or d, for example \"30s\"",
    );
    fine("[bus]\nurl = \"nats://h:4222, tls://i:4222\"\nuser = \"u\"\npassword = \"p\"");
}

#[test]
fn keys() {
    one(
        "[keys]\nvalue = \"short\"",
        "keys.value (portevoix.toml): is not 32 bytes in base64; make one with: openssl rand -base64 32",
    );
    one(
        "[keys]\nfile = \"\"",
        "keys.file (portevoix.toml): is missing; give a path, or the key as keys.value",
    );
    fine("[keys]\nvalue = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"");
}

#[test]
fn http() {
    one(
        "[http]\nlisten = \"localhost\"",
        "http.listen (portevoix.toml): \"localhost\" is not an address to listen on; \
         write an IP address and a port, for example 127.0.0.1:8080",
    );
    one(
        "[http]\npublic_url = \"https://h/?q\"",
        "http.public_url (portevoix.toml): has a query or a fragment; end it with the path",
    );
    one(
        "[http]\ntrusted_proxies = [\"proxy\"]",
        "http.trusted_proxies (portevoix.toml): \"proxy\" is neither an address nor a network; \
         write 10.0.0.0/8",
    );
    fine("[http]\npublic_url = \"http://192.0.2.1:8080\"");
}

#[test]
fn email() {
    one(
        "[email]\nprovider = \"smtps\"",
        "email.provider (portevoix.toml): \"smtps\" is not one of the choices; \
         write \"sandbox\" or \"smtp\"",
    );
    one(
        "[email]\nprovider = \"smtp\"\nsmtp_url = \"smtp://u@127.0.0.1\"",
        "email.smtp_url (portevoix.toml): has a user and no password; write USER:PASSWORD@",
    );
    one(
        "[email]\nprovider = \"smtp\"\nsmtp_url = \"smtp://127.0.0.1?ssl=yes\"",
        "email.smtp_url (portevoix.toml): has a query that means nothing; \
         write smtp://…?tls=required, or smtps://… alone",
    );
    one(
        "[email]\nfrom = \"Métropole\"",
        "email.from (portevoix.toml): \"Métropole\" is not an email address; write name@domain",
    );
    one(
        "[email]\nfrom = \"Métropole\\nBcc: x <a@b.fr>\"",
        "email.from (portevoix.toml): has a line break in its name; write it on one line",
    );
    one(
        "[email]\nreply_domain = \"reponses_lille\"",
        "email.reply_domain (portevoix.toml): \"reponses_lille\" is not a domain name; \
         write it as in DNS, for example reponses.example.org",
    );
    one(
        "[email]\nper_second = -1.0",
        "email.per_second (portevoix.toml): -1 is out of range; \
         choose 0.01 to 100000, or 0 for no limit",
    );
    // a test's server on this machine asks for nothing more
    fine("[email]\nprovider = \"smtp\"\nsmtp_url = \"smtp://127.0.0.1:2525\"");
}

#[test]
fn real_providers_ask_for_more() {
    let real = "[email]\nprovider = \"smtp\"\nsmtp_url = \"smtp://smtp.lille.example\"";
    assert_eq!(
        problems(real),
        [
            "identity.contact_email: is missing, as is every other contact; \
             give contact_email, contact_phone or contact_address: receipts name it",
            "identity.accessibility_statement: is missing; \
             give the page's address: every message links to it",
            "identity.personal_data: is missing; give the page's address: every message links to it",
            "http.public_url: leads citizens to their own machine; \
             give the address by which citizens reach this server",
            "email.from: is still the example; give your own domain",
            "email.reply_domain: is still the example; give your own domain",
        ]
    );
    // a relaying server on this machine reaches citizens as well
    let relayed = "[email]\nprovider = \"smtp\"\nsmtp_url = \"smtp://localhost\"\n\
                   [http]\npublic_url = \"http://participer.lille.example\"";
    let found = problems(relayed);
    assert!(found.iter().any(|found| found.contains("is not https")), "{found:#?}");
    assert_eq!(found.len(), 6, "{found:#?}");
    let clear = "[email]\nprovider = \"smtp\"\nsmtp_url = \"smtp://u:p@h.example?tls=none\"";
    let found = problems(clear);
    assert!(found.iter().any(|found| found.contains("sends a password without TLS")), "{found:#?}");
}

#[test]
fn dkim() {
    let key = "rsa_key_file = \"rsa.pem\"";
    one(
        &format!("[dkim]\n{key}"),
        "dkim.domain: is missing; give the domain that the key signs for",
    );
    one(
        "[dkim]\ndomain = \"example.org\"\ned25519_key_file = \"ed.pem\"",
        "dkim.rsa_key_file: is missing; \
         give the RSA key, which every receiver reads, or empty dkim.domain",
    );
    one(
        &format!("[dkim]\ndomain = \"example.org\"\n{key}\nselector = \"a b\""),
        "dkim.selector (portevoix.toml): \"a b\" is not a DNS label; \
         write letters, digits and hyphens",
    );
    one(
        &format!("[dkim]\ndomain = \"lille.example\"\n{key}"),
        "dkim.domain (portevoix.toml): does not align with email.from; \
         sign for the domain of email.from, or one above it (DMARC)",
    );
    one(
        &format!(
            "[dkim]\ndomain = \"example.org\"\n{key}\ned25519_selector = \"portevoix\"\n\
             ed25519_key_file = \"ed.pem\""
        ),
        "dkim.ed25519_selector (portevoix.toml): is the RSA key's selector; \
         give each key a selector of its own",
    );
    fine(&format!("[dkim]\ndomain = \"example.org\"\n{key}"));
}

#[test]
fn sms() {
    one(
        "[sms]\nprovider = \"smpp\"",
        "sms.provider (portevoix.toml): smpp is not in this version; use ovh, twilio or http",
    );
    one(
        "[sms]\nhours = \"07:00-20:00\"",
        "sms.hours (portevoix.toml): \"07:00-20:00\" goes beyond what people may be written at; \
         stay within 08:00-21:30",
    );
    one(
        "[sms]\nhours = \"all day\"",
        "sms.hours (portevoix.toml): \"all day\" are not hours; write \"08:00-20:00\"",
    );
    fine("[sms]\nhours = \"08:00-21:30\"\nquiet_hours = false");
    let http = "[sms]\nprovider = \"http\"\nquiet_hours = QUIET\n[sms.http]\nurl = \"http://127.0.0.1:1/\"\n";
    fine(&http.replace("QUIET", "true"));
    fine(&http.replace("QUIET", "false"));
    let pages = "[identity]\naccessibility_statement = \"https://lille.example/a\"\n\
                 personal_data = \"https://lille.example/d\"\n\
                 contact_email = \"a@lille.example\"\n\
                 [http]\npublic_url = \"https://lille.example\"\n";
    let remote = http.replace("http://127.0.0.1:1/", "https://sms.lille.example/");
    one(
        &format!("{pages}{}", remote.replace("QUIET", "false")),
        "sms.quiet_hours (portevoix.toml): is off with a real provider; \
         write true: only a provider on this machine may send at any hour",
    );
    one(
        &http.replace("QUIET", "true\nmax_segments = 11"),
        "sms.max_segments (portevoix.toml): 11 is out of range; choose 1 to 10",
    );
    one(
        "[sms]\nprovider = \"http\"\n[sms.http]\nurl = \"http://127.0.0.1.nip.example/{{ to }}\"\n\
         [identity]\ncontact_phone = \"3900\"\naccessibility_statement = \"https://h/a\"\n\
         personal_data = \"https://h/p\"\n[http]\npublic_url = \"https://h\"",
        "sms.http (portevoix.toml): sends secrets and numbers in the clear; write https://…",
    );
    one(
        "[sms]\ntwo_way = false",
        "sms.stop_number: is missing; \
         give the number that takes STOP: nobody can answer the message",
    );
    one(
        "[sms]\nstop_number = \"36 111\"",
        "sms.stop_number (portevoix.toml): \"36 111\" is not a short number; \
         write digits only, for example 36111",
    );
}

#[test]
fn sms_senders() {
    let from = |from: &str| {
        let two_way = from.bytes().all(|b| b.is_ascii_digit() || b == b'+');
        problems(&format!(
            "[sms.twilio]\naccount_sid = \"AC0\"\nauth_token = \"t\"\n\
             api_url = \"http://127.0.0.1:1\"\nfrom = \"{from}\"\n\
             [sms]\nprovider = \"twilio\"\ntwo_way = {two_way}\nstop_number = \"36111\""
        ))
    };
    for good in ["MEL", "METROPOLE59", "38123", "+33320212223", "+3197010240000"] {
        assert_eq!(from(good), Vec::<String>::new(), "{good}");
    }
    let named = "[sms]\nprovider = \"twilio\"\n[sms.twilio]\naccount_sid = \"AC0\"\n\
                 auth_token = \"t\"\napi_url = \"http://127.0.0.1:1\"\nfrom = \"MEL\"";
    one(
        named,
        "sms.two_way: is true, yet a name can't be answered; \
         write false and give sms.stop_number, or send from a short number",
    );
    for (bad, why) in [
        ("", "is missing"),
        ("+33612345678", "is a mobile number (06, 07), which operators forbid"),
        ("36123", "is of the promotional range"),
        ("0320212223", "is neither a short number of five digits nor a number in E.164 form"),
        ("METROPOLE LIL", "is not a sender's name"),
        ("Métropole", "is not a sender's name"),
        ("METROPOLE590", "is not a sender's name"),
    ] {
        let found = from(bad);
        assert!(found.len() == 1 && found[0].contains(why), "{bad}: {found:?}");
    }
}

#[test]
fn telegram() {
    let bot = "[telegram]\nprovider = \"bot\"\napi_url = \"http://127.0.0.1:1\"\n";
    fine(&format!("{bot}token = \"12345:abcdefgh\""));
    one(bot, "telegram.token: is missing; give it, telegram.token_file or the environment");
    one(
        &format!("{bot}token = \"abcdefghijkl\""),
        "telegram.token (portevoix.toml): is not a bot's token; \
         copy it as BotFather gave it: digits, a colon, letters",
    );
    one(
        &format!("{bot}token = \"12345:abcdefgh\"\nmode = \"webhook\"\nwebhook_secret = \"abc\""),
        "telegram.webhook_secret (portevoix.toml): is too short; give it 16 characters or more",
    );
    one(
        &format!(
            "{bot}token = \"12345:abcdefgh\"\nmode = \"webhook\"\nwebhook_secret = \"a secret with spaces\""
        ),
        "telegram.webhook_secret (portevoix.toml): has characters Telegram does not take; \
         choose 16 to 256 of A-Z a-z 0-9 _ -",
    );
    one(
        "[telegram]\nper_second = 31",
        "telegram.per_second (portevoix.toml): is out of range; \
         choose above 0 and at most 30: Telegram's own limit",
    );
}

#[test]
fn the_rest() {
    one(
        "[plain]\nfallback = \"drop\"",
        "plain.fallback (portevoix.toml): \"drop\" is not one of the choices; \
         write \"hold\" or \"standard\"",
    );
    one(
        "[outbox]\nbase_backoff = \"1h\"\nmax_backoff = \"1m\"",
        "outbox.max_backoff (portevoix.toml): is below outbox.base_backoff; \
         choose a longest wait above the first",
    );
    one(
        "[inbox]\nmax_bytes = 1",
        "inbox.max_bytes (portevoix.toml): 1 is out of range; choose 65536 to 104857600",
    );
    one(
        "[console]\nsession = \"30d\"",
        "console.session (portevoix.toml): 30d is out of range; choose 10m to 24h",
    );
    one(
        "[log]\nlevel = \"infos\"",
        "log.level (portevoix.toml): \"infos\" is not a level; \
         write error, warn, info, debug or trace, or info,portevoix::outbox=debug",
    );
    fine("[log]\nlevel = \"info,portevoix::outbox=debug,sqlx=off\"");
}

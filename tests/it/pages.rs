//! What a newcomer sees after `portevoix demo`: the console by the printed link, a sample
//! published, its deliveries, a citizen's box on each channel, an answer, its receipt, and the
//! contribution in the console. Forms and links only, as a browser without script sends them.

use std::process::Command;

use reqwest::{Client, Response, header};

use crate::harness::{
    http,
    process::{self, Running, Signal},
    wait_for, wait_until,
};

struct Demo {
    url: String,
    enter: String,
    client: Client,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl Demo {
    async fn start() -> Self {
        let folder = process::folder("demo");
        let log = folder.path().join("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_portevoix"));
        command.current_dir(folder.path());
        command.args(["demo", "--listen", "127.0.0.1:0", "--citizens", "150"]);
        let running = Running::start(&mut command, &log, folder.path(), Signal::Kill);
        let enter = wait_for("demo prints its address", async || {
            let log = process::read_log(&log);
            let line = log.lines().find(|line| line.contains("/console/enter?token="))?;
            line.split_whitespace().last().map(str::to_owned)
        })
        .await;
        let url = enter.split("/console").next().unwrap().to_owned();
        let client = http();
        wait_until("the demo answers", async || {
            client.get(format!("{url}/healthz")).send().await.is_ok()
        })
        .await;
        Self { url, enter, client, _running: running, _folder: folder }
    }

    async fn get(&self, path: &str, cookie: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request.header(header::COOKIE, cookie).send().await.unwrap()
    }

    async fn page(&self, path: &str, cookie: &str) -> String {
        let response = self.get(path, cookie).await;
        assert_eq!(response.status(), 200, "{path}");
        let html = response.text().await.unwrap();
        assert_eq!(html.matches("<h1").count(), 1, "one main heading on {path}");
        assert!(html.contains("<html lang=\"fr\">"), "{path}");
        html
    }

    async fn post(&self, path: &str, cookie: &str, form: &[(&str, &str)]) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).form(form);
        request.header(header::COOKIE, cookie).header("origin", &self.url).send().await.unwrap()
    }

    /// The address that a redirect leads to, without the host.
    async fn leads(&self, path: &str, cookie: &str) -> String {
        location(&self.get(path, cookie).await)
    }
}

fn location(response: &Response) -> String {
    assert_eq!(response.status(), 303, "{}", response.url());
    response.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

#[tokio::test]
async fn a_newcomer_publishes_reads_answers_and_sees_the_contribution() {
    let demo = Demo::start().await;

    // nobody enters without a token, and the link works once the browser keeps the cookie
    assert_eq!(demo.leads("/console", "").await, "/console/login?next=%2Fconsole");
    let refused = demo.post("/console/login", "", &[("token", "wrong")]).await;
    assert_eq!(refused.status(), 403);
    let entered = demo.client.get(&demo.enter).send().await.unwrap();
    let cookie = entered.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(location(&entered), "/console");
    demo.page("/console", cookie).await;

    // another site can't publish in a person's name
    let foreign = demo.client.post(format!("{}/console/publish", demo.url));
    let foreign =
        foreign.form(&[("sample", "consultation.opened")]).header("origin", "https://x.example");
    assert_eq!(foreign.header(header::COOKIE, cookie).send().await.unwrap().status(), 403);

    // publish, and follow to the end
    let published =
        demo.post("/console/publish", cookie, &[("sample", "consultation.opened")]).await;
    let waiting = location(&published);
    let event = wait_for("the event has a page", async || {
        let response = demo.get(&waiting, cookie).await;
        (response.status() == 303).then(|| location(&response))
    })
    .await;
    wait_until("everything has left", async || {
        demo.page(&event, cookie).await.contains("Terminé en")
    })
    .await;
    for page in
        ["/message?channel=sms&language=nl", "/message?register=plain", "/deliveries?state=sent"]
    {
        demo.page(&format!("{event}{page}"), cookie).await;
    }
    let mut live = demo.get(&format!("{event}/live"), cookie).await;
    let told = String::from_utf8(live.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(told.starts_with("event: live\ndata: {"), "{told}");

    // on each channel: open a box, answer as the citizen would, and be thanked
    for (channel, answer) in [
        ("email", ("text", "Des bancs à l’ombre")),
        ("sms", ("text", "2")),
        ("telegram", ("choice", "1")),
    ] {
        let mailbox = demo
            .leads(&format!("/sandbox/random?channel={channel}&register=standard&language=fr"), "")
            .await;
        let html = demo.page(&mailbox, "").await;
        let letter = between(&html, "name=\"letter\" value=\"", "\"");
        let form = [("letter", letter), answer];
        let answered = location(&demo.post(&format!("{mailbox}/answer"), "", &form).await);
        let answered = answered.split('#').next().unwrap();
        let number = wait_for("the citizen is thanked", async || {
            let html = demo.page(answered, "").await;
            let number = html.split_once("Contribution n°&nbsp;")?.1.split_once(' ')?.0;
            html.matches(number).nth(1)?;
            Some(number.to_owned())
        })
        .await;
        let console = demo.page("/console/contributions?consultation=parc-sud", cookie).await;
        assert!(console.contains(&number), "{number} is in the console");
    }

    // what waits for staff is a page, and signing out ends the session's cookie
    demo.page("/console/held", cookie).await;
    let out = demo.post("/console/logout", cookie, &[]).await;
    assert!(out.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_mail_is_shown_without_power_over_the_page() {
    let demo = Demo::start().await;
    let entered = demo.client.get(&demo.enter).send().await.unwrap();
    let cookie = entered.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap();
    demo.post("/console/publish", cookie, &[("sample", "consultation.opened")]).await;
    let mailbox = wait_for("somebody has a mail", async || {
        let to = demo.leads("/sandbox/random?channel=email", "").await;
        to.starts_with("/sandbox/email/").then_some(to)
    })
    .await;
    let html = demo.page(&mailbox, "").await;
    let frame = between(&html, "<iframe", ">");
    assert!(frame.contains("sandbox=\"") && !frame.contains("allow-scripts"), "{frame}");
    let letter = between(&html, "name=\"letter\" value=\"", "\"");
    let mail = demo.get(&format!("{mailbox}/html?letter={letter}"), "").await;
    let policy = mail.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("sandbox ") && policy.contains("default-src 'none'"), "{policy}");
    let mail = mail.text().await.unwrap();
    assert!(!mail.contains("mailto:"), "its links lead to the form");
    let form = format!("{mailbox}?letter={letter}&amp;written=1");
    assert!(mail.contains(&form), "the options prepare an answer: {form}");
}

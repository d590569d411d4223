//! How mail programs introduce what they quote, one line a program; and what people write that
//! only looks like it.

use portevoix::inbox::mail::split_reply;

/// Every one of these introduces a quotation, whether or not its lines are marked.
const INTRODUCTIONS: &[&str] = &[
    // français
    "Le 3 mars 2026 à 09:00, Concertation <r+abc@exemple.fr> a écrit :",
    "Le mar. 3 mars 2026 à 09:00, Concertation <r+abc@exemple.fr> a écrit :",
    "Le mardi 3 mars 2026 à 09:00:12 UTC+1, Concertation <r+abc@exemple.fr> a écrit :",
    "Le mardi 3 mars 2026, 09:00:12 CET Concertation a écrit :",
    "Le 03/03/2026 09:00, Concertation a écrit :",
    "Le 03/03/26 à 09h00, Concertation a écrit :",
    "Le 2026-03-03 09:00, r+abc@exemple.fr a écrit :",
    "Le 3 mars 2026 09:00:12 GMT+01:00, Concertation <r+abc@exemple.fr> a écrit :",
    "Le Mardi 3 mars 2026 9h00, Concertation <r+abc@exemple.fr> a écrit :",
    "Le 3 mars 2026 à 09:00, « Concertation » <r+abc@exemple.fr> a écrit :",
    "Le mar. 3 mars 2026 à 09:00, Concertation et citoyenneté de la métropole\neuropéenne de Lille <r+abc@exemple.fr> a\nécrit :",
    "3 mars 2026 09:00, \"Concertation\" <r+abc@exemple.fr> a écrit:",
    "Concertation <r+abc@exemple.fr> a écrit :",
    "----- Message original -----",
    "-----Message d'origine-----",
    "-------- Message original --------",
    "------- Message initial -------",
    "---- Le mar., 03 mars 2026 09:00:12 +0100 Concertation <r+abc@exemple.fr> a écrit ----",
    "*De :* Concertation <r+abc@exemple.fr>\n*Envoyé :* mardi 3 mars 2026 09:00\n*À :* Awa\n*Objet :* parc",
    "De : Concertation <r+abc@exemple.fr>\nDate : mardi 3 mars 2026 à 09:00\nÀ : Awa <awa@exemple.fr>\nObjet : parc",
    "De :        Concertation <r+abc@exemple.fr>\nA :        awa@exemple.fr\nDate :        03/03/2026 09:00\nObjet :        parc\n________________________________",
    "De: \"Concertation\" <r+abc@exemple.fr>\n\nEnvoyé: Mardi 3 Mars 2026 09:00:12\n\nÀ: \"Awa\" <awa@exemple.fr>\n\nObjet: parc",
    "Expéditeur: Concertation <r+abc@exemple.fr>\nDate: 3 mars 2026 à 09:00:12 UTC+1\nDestinataire: awa@exemple.fr\nObjet: parc",
    ">>> Concertation <r+abc@exemple.fr> 03/03/2026 09:00 >>>",
    // english
    "On Tue, Mar 3, 2026 at 9:00 AM Concertation <r+abc@exemple.fr> wrote:",
    "On 3 Mar 2026, at 09:00, Concertation <r+abc@exemple.fr> wrote:",
    "On Tuesday, March 3rd, 2026 at 9:00 AM, Concertation <r+abc@exemple.fr> wrote:",
    "On 03/03/2026 09:00, Concertation wrote:",
    "On 2026-03-03 09:00, Concertation wrote:",
    "On Tue, 2026-03-03 at 09:00 +0100, Concertation wrote:",
    "Concertation <r+abc@exemple.fr> writes:",
    "Concertation <r+abc@exemple.fr> wrote on 03/03/2026 09:00:12:",
    "From: Concertation <r+abc@exemple.fr>\nSent: Tuesday, March 3, 2026 9:00 AM\nTo: Tom <tom@exemple.fr>\nCc: Ann\nSubject: Park",
    "From: Concertation <r+abc@exemple.fr>\nDate: Tuesday, March 3, 2026 at 9:00 AM\nTo: Tom <tom@exemple.fr>\nSubject: Park",
    "-----Original Message-----",
    "------- Original Message -------",
    // nederlands
    "Op di 3 mrt 2026 om 09:00 schreef Concertation <r+abc@exemple.fr>:",
    "Op 3 mrt. 2026 om 09:00 heeft Concertation <r+abc@exemple.fr> het volgende geschreven:",
    "Op 03-03-2026 om 09:00 schreef Concertation:",
    "Op dinsdag 3 maart 2026 09:00:12 CET schreef Concertation <r+abc@exemple.fr>:",
    "Van: Concertation <r+abc@exemple.fr>\nVerzonden: dinsdag 3 maart 2026 09:00\nAan: Jan\nOnderwerp: park",
    "-----Oorspronkelijk bericht-----",
    // deutsch
    "Am Di., 3. März 2026 um 09:00 Uhr schrieb Concertation <r+abc@exemple.fr>:",
    "Am 03.03.2026 um 09:00 schrieb Concertation:",
    "Am 3. März 2026 09:00:12 MEZ schrieb Concertation <r+abc@exemple.fr>:",
    "Am Dienstag, 3. März 2026 um 09:00:12 MEZ hat Concertation <r+abc@exemple.fr> Folgendes geschrieben:",
    "Concertation <r+abc@exemple.fr> schrieb am Di., 3. März 2026, 09:00:",
    "Von: Concertation <r+abc@exemple.fr>\nGesendet: Dienstag, 3. März 2026 09:00\nAn: Anna\nBetreff: Park",
    "-----Ursprüngliche Nachricht-----",
    // español
    "El mar, 3 mar 2026 a las 9:00, Concertation (<r+abc@exemple.fr>) escribió:",
    "El 3 mar 2026, a las 9:00, Concertation <r+abc@exemple.fr> escribió:",
    "El martes, 3 de marzo de 2026 9:00:12 CET, Concertation <r+abc@exemple.fr> escribió:",
    "El 03/03/2026 a las 9:00, Concertation escribió:",
    "De: Concertation <r+abc@exemple.fr>\nEnviado: martes, 3 de marzo de 2026 9:00\nPara: Carmen\nAsunto: parque",
    "-----Mensaje original-----",
    // português
    "Em ter., 3 de mar. de 2026 às 09:00, Concertation <r+abc@exemple.fr> escreveu:",
    "Concertation <r+abc@exemple.fr> escreveu no dia terça, 3/03/2026 à(s) 09:00:",
    "No dia 3 de mar. de 2026, à(s) 09:00, Concertation <r+abc@exemple.fr> escreveu:",
    "Às 09:00 de 03/03/2026, Concertation escreveu:",
    "De: Concertation <r+abc@exemple.fr>\nEnviada em: terça-feira, 3 de março de 2026 09:00\nPara: João\nAssunto: parque",
    // italiano
    "Il giorno mar 3 mar 2026 alle ore 09:00 Concertation <r+abc@exemple.fr> ha scritto:",
    "Il 03/03/2026 09:00, Concertation ha scritto:",
    "Il martedì 3 marzo 2026 alle ore 09:00:12 CET, Concertation <r+abc@exemple.fr> ha scritto:",
    "Da: Concertation <r+abc@exemple.fr>\nInviato: martedì 3 marzo 2026 09:00\nA: Giulia\nOggetto: parco",
    "-----Messaggio originale-----",
    // polski
    "wt., 3 mar 2026 o 09:00 Concertation <r+abc@exemple.fr> napisał(a):",
    "W dniu 3.03.2026 o 09:00, Concertation pisze:",
    "W dniu wt., 3.03.2026 o 09:00 Concertation <r+abc@exemple.fr> napisał(a):",
    "Dnia 3 marca 2026 09:00 Concertation <r+abc@exemple.fr> napisał(a):",
    "Wiadomość napisana przez Concertation <r+abc@exemple.fr> w dniu 03.03.2026, o godz. 09:00:",
    "Od: Concertation <r+abc@exemple.fr>\nWysłano: wtorek, 3 marca 2026 09:00\nDo: Ewa\nTemat: park",
    // العربية
    "في الثلاثاء، 3 مارس 2026 في 9:00 ص تمت كتابة ما يلي بواسطة Concertation <r+abc@exemple.fr>:",
    "في ٣ مارس ٢٠٢٦، الساعة ٩:٠٠، كتب Concertation <r+abc@exemple.fr>:",
    "بتاريخ 3 مارس 2026 09:00، كتب Concertation <r+abc@exemple.fr>:",
    "من: Concertation <r+abc@exemple.fr>\nتم الإرسال: 03 مارس, 2026 09:00\nإلى: سلمى\nالموضوع: حديقة",
];

#[test]
fn introductions_are_known_with_marked_lines_and_without() {
    let mut missed = Vec::new();
    for introduction in INTRODUCTIONS {
        for quotation in
            ["> Que souhaitez-vous ?\n> Le service\n", "Que souhaitez-vous ?\n\nLe service\n"]
        {
            for gap in ["\n\n", "\n"] {
                let answer = "Des bancs.\nEt une fontaine";
                let split = split_reply(&format!("{answer}{gap}{introduction}\n\n{quotation}"));
                if split.text != answer {
                    missed.push(format!("{introduction:?} then {quotation:?}: {:?}", split.text));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// None of these introduces anything: somebody tells, lists, or signs.
const STORIES: &[&str] = &[
    "Le 12 janvier 2026 à 10:30, le maire m'a écrit :\n« le parc sera ouvert ».\nJ'attends toujours.",
    "Le 12 janvier 2026 à 10:30, le maire a écrit :\nle parc sera ouvert.\nVraiment ?",
    "Le 12 janvier 2026, le maire a écrit :\nle parc sera ouvert.",
    "Hier on nous a écrit :\nvenez à 10h30.",
    "Le 3 mars à 18:00, je serai à la réunion :\nj'y parlerai du parc.",
    "On Monday at 10:30 he wrote:\nyou may come.\nI did.",
    "Voici mes dates :\n12/03/2026 10:00\n13/03/2026 14:00",
    "Rendez-vous le 12/03/2026 à 10:30 : place de la gare.\nÉcrivez à awa@exemple.fr",
    "Mon adresse : awa@exemple.fr\nMon téléphone : 06 00 00 00 00",
    "De : 8h à 20h\nÀ : tous",
    "Date : le 12 mars me convient\nObjet : la réunion du soir",
    "Sujet : le parc\nJe propose un kiosque.",
    "A : oui\nB : non\nC : sans avis",
    "1 : oui\n2 : non",
    "Envoyé par la poste le 3 mars, mon courrier est resté sans réponse.",
    "Sent from my desk, this is easier than on my telephone.",
    "Cordialement vôtre, mais pas d'accord.",
    "Salutations\nJe reviens sur le point 3 : le parking est trop grand.\nMerci d'y penser avant le vote.",
    "- des bancs\n- une fontaine\n-- surtout pas de parking",
    "Plus de 3 > 2 arbres\n3 > 2, c'est vrai",
    "Am Montag um 10:30 hat er mir geschrieben:\nkommen Sie.",
    "Il sindaco ha scritto:\nvenite tutti.",
    "Mon voisin Paul a écrit :",
    "Question 1 : oui.\nQuestion 2 : non, car le bruit, le 12/03/2026 à 22:00, était insupportable.\nQuestion 3 : sans avis",
    "Le parc ouvre à 8:00.\nLe soir il ferme à 20:00 :\nc'est trop tôt.",
    "Transmis à la mairie le 3/3/2026 :\nma pétition.",
];

#[test]
fn stories_stay_whole() {
    let mut lost = Vec::new();
    for story in STORIES {
        let split = split_reply(story);
        if split.text != *story {
            lost.push(format!("{story:?}: kept {:?}", split.text));
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

/// Lines by which telephones and applications sign.
const ADVERTISING: &[&str] = &[
    "Envoyé de mon iPhone",
    "Envoyé de mon iPad",
    "Envoyé depuis mon smartphone Samsung Galaxy.",
    "Envoyé depuis mon mobile Huawei",
    "Envoyé à partir de Outlook pour Android<https://aka.ms/x>",
    "Envoyé à partir d’Outlook pour iOS",
    "Télécharger Outlook pour Android",
    "Provenance : Courrier pour Windows 10",
    "Envoyé depuis l'application Mail Orange",
    "Envoyé de Yahoo Mail pour iPhone",
    "Envoyé avec la messagerie sécurisée Proton Mail.",
    "Envoyé de mon appareil Android avec Courriel K-9 Mail. Veuillez excuser ma brièveté.",
    "Sent from my iPhone",
    "Sent from my Galaxy",
    "Sent from Yahoo Mail for iPhone",
    "Get Outlook for iOS",
    "Sent with Proton Mail secure email.",
    "Sent from my Samsung Galaxy smartphone.",
    "Gesendet von meinem iPhone",
    "Von meinem iPad gesendet",
    "Verstuurd vanaf mijn iPhone",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Inviato da iPhone",
    "Wysłane z iPhone'a",
    "تم الإرسال من هاتفي iPhone",
];

#[test]
fn advertising_is_taken_off() {
    let mut kept = Vec::new();
    for line in ADVERTISING {
        let split = split_reply(&format!("Des bancs.\n\n{line}\n"));
        if split.text != "Des bancs." || split.quoted != *line {
            kept.push(format!("{line:?}: {:?}", split.text));
        }
    }
    assert!(kept.is_empty(), "{}", kept.join("\n"));
}

#[test]
fn answers_between_the_lines_of_an_unmarked_quotation_are_kept() {
    let body = "Bonjour, mes réponses sont en rouge ci-dessous.\n\nDe : Concertation <r+abc@exemple.fr>\nEnvoyé : mardi 3 mars 2026 09:00\nÀ : Awa\nObjet : parc\n\nFaut-il un parking ?\nNon.\n";
    let split = split_reply(body);
    assert!(split.interleaved && split.text.contains("Faut-il un parking ?\nNon."), "{split:?}");
    assert!(split.quoted.contains("Envoyé :"), "{split:?}");
}

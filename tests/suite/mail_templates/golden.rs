//! Mails arrive as approved, except for the sender and the links of this cloud.

use local_mail::Mail;

use super::{SENDER, approved, cloud, mails};

/// The golden files' sender and link.
const APPROVED_SENDER: &str = "no-reply@example.com";
const APPROVED_LINK: &str = "https://functions.example.com/api/unsubscribe?token=abc";

/// Defect 39: three types were reported as sent, and none was.
#[tokio::test]
async fn mail_of_each_type_matches_its_golden_file() {
    let cloud = cloud().await;
    for (kind, mail) in mails(&cloud).await {
        for (end, arrived) in [
            ("head", head(&mail)),
            ("html", mail.html.clone()),
            ("txt", mail.text.clone()),
        ] {
            let arrived = translated(&mail, &arrived);
            assert_eq!(arrived, approved(kind, end), "{kind}.{end}");
        }
    }
}

/// Returns the headers of a mail.
fn head(mail: &Mail) -> String {
    let mut lines = vec![("From", mail.from.clone()), ("To", mail.to.join(", "))];
    lines.extend(mail.reply_to.iter().map(|to| ("Reply-To", to.clone())));
    lines.push(("Subject", mail.subject.clone()));
    let added = mail.headers.iter();
    lines.extend(added.map(|header| (header.name.as_str(), header.value.clone())));
    let lines = lines.into_iter();
    lines.fold(String::new(), |head, (name, value)| {
        head + name + ": " + &value + "\n"
    })
}

/// Returns a mail's text with the golden files' sender and link.
fn translated(mail: &Mail, text: &str) -> String {
    let link = mail.headers.iter().find(|it| it.name == "List-Unsubscribe");
    let link = link.map(|header| header.value.trim_matches(['<', '>']));
    let text = text.replace(SENDER, APPROVED_SENDER);
    link.map_or(text.clone(), |link| text.replace(link, APPROVED_LINK))
}

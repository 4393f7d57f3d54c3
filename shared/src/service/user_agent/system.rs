//! The operating system, and the kind of device.

use super::Form;

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct System {
    /// Its name.
    pub(super) name: &'static str,
    /// The common name of the device, if it differs.
    pub(super) device: &'static str,
    form: Form,
}

const fn system(name: &'static str, device: &'static str, form: Form) -> System {
    System { name, device, form }
}

/// Words and the systems that they identify. Each precedes those whose words it also contains.
const SYSTEMS: [(&str, System); 20] = [
    (
        "Windows Phone",
        system("Windows Phone", "Windows Phone", Form::Mobile),
    ),
    ("Xbox", system("Xbox", "Xbox", Form::Unknown)),
    (
        "PlayStation",
        system("PlayStation", "PlayStation", Form::Unknown),
    ),
    ("Tizen", system("Tizen", "Tizen", Form::Unknown)),
    ("Web0S", system("webOS", "TV", Form::Unknown)),
    ("KAIOS", system("KaiOS", "phone", Form::Mobile)),
    ("iPhone", system("iOS", "iPhone", Form::Mobile)),
    ("iPad", system("iPadOS", "iPad", Form::Tablet)),
    ("iPod", system("iOS", "iPod touch", Form::Mobile)),
    ("HarmonyOS", system("HarmonyOS", "HarmonyOS", Form::Mobile)),
    (
        "OpenHarmony",
        system("HarmonyOS", "HarmonyOS", Form::Mobile),
    ),
    ("Android", system("Android", "Android", Form::Tablet)),
    ("CrOS", system("ChromeOS", "Chromebook", Form::Desktop)),
    ("Windows", system("Windows", "Windows", Form::Desktop)),
    ("Macintosh", system("macOS", "macOS", Form::Desktop)),
    ("Mac OS X", system("macOS", "macOS", Form::Desktop)),
    ("FreeBSD", system("FreeBSD", "FreeBSD", Form::Desktop)),
    ("OpenBSD", system("OpenBSD", "OpenBSD", Form::Desktop)),
    ("Linux", system("Linux", "Linux", Form::Desktop)),
    ("X11", system("Linux", "Linux", Form::Desktop)),
];

/// Words of televisions and media players: neither tablets nor computers.
const TELEVISIONS: [&str; 7] = [
    "TV", "SMART-TV", "SmartTV", "BRAVIA", "CrKey", "AFTS", "HbbTV",
];

/// Returns the system that a user agent names.
pub(super) fn of(agent: &str) -> Option<System> {
    let found = SYSTEMS.iter().find(|(word, _)| has_word(agent, word));
    found.map(|(_, system)| *system)
}

impl System {
    pub(super) fn is_android(self) -> bool {
        self.name == "Android"
    }

    /// Returns the kind of device. Android tablets omit the word `Mobile`; some name their kind.
    pub(super) fn form(self, agent: &str) -> Form {
        if TELEVISIONS.iter().any(|word| has_word(agent, word)) {
            return Form::Unknown;
        }
        let is_phone = has_word(agent, "Mobile") && !has_word(agent, "Tablet");
        match self.form {
            Form::Tablet if self.is_android() && is_phone => Form::Mobile,
            form => form,
        }
    }
}

/// Returns whether the word occurs by itself; digits may follow, as in `iPhone14,5`.
fn has_word(agent: &str, word: &str) -> bool {
    agent.match_indices(word).any(|(at, _)| {
        let before = agent[..at].chars().next_back();
        let after = agent[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphabetic)
    })
}

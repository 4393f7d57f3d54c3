//! The addresses that providers accept: `local@domain` or `Name <local@domain>`. Lengths: RFC 5321 section 4.5.3.1.

const MAX_LENGTH: usize = 320;
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;
const MAX_LABEL: usize = 63;

/// The characters that are allowed only inside quotes (RFC 5322 section 3.2.3).
const SPECIALS: &[char] = &['<', '>', '[', ']', ':', ';', '@', '\\', ',', '"'];

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}.")]
pub(crate) struct Illegal(&'static str);

/// An address without its display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// Parses one address with or without a display name in seven bits, as SES requires: no SMTPUTF8, domains in
    /// Punycode, names beyond ASCII as RFC 2047 encoded words
    /// (<https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html>).
    pub(crate) fn parse_seven_bit(text: &str) -> Result<Self, Illegal> {
        let name = text.rsplit_once('<').map_or("", |(name, _)| name);
        if !name.is_ascii() {
            return Err(Illegal(
                "Display name contains non-ASCII characters; encode it by RFC 2047",
            ));
        }
        Self::parse(text)
    }

    /// Parses one address with or without a display name, which may be in any script.
    pub(crate) fn parse(text: &str) -> Result<Self, Illegal> {
        if text.chars().any(char::is_control) {
            return Err(Illegal("Address contains control characters"));
        }
        let text = text.trim();
        let plain = match text.rsplit_once('<') {
            Some((name, rest)) => {
                display_name(name.trim())?;
                rest.strip_suffix('>')
                    .ok_or(Illegal("Missing '>' in address"))?
            }
            None => text,
        };
        specification(plain)?;
        Ok(Self(plain.to_owned()))
    }

    /// Returns `local@domain`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part after the `@`.
    pub(crate) fn domain(&self) -> &str {
        self.0.rsplit_once('@').unwrap_or_default().1
    }

    /// Returns the part before the `@`, without a label (`name+label@domain`).
    pub(crate) fn unlabelled(&self) -> &str {
        let local = self.0.rsplit_once('@').unwrap_or_default().0;
        local.split('+').next().unwrap_or_default()
    }

    /// Returns whether `identity`, a verified address or domain, covers this sender. A domain covers its subdomains, an
    /// address its labels (`name+label@domain`).
    pub(crate) fn is_verified_by(&self, identity: &str) -> bool {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        if let Some((name, host)) = identity.rsplit_once('@') {
            return host.eq_ignore_ascii_case(domain)
                && (name == local || name == self.unlabelled());
        }
        let (domain, identity) = (domain.to_ascii_lowercase(), identity.to_ascii_lowercase());
        domain == identity || domain.ends_with(&format!(".{identity}"))
    }
}

fn display_name(name: &str) -> Result<(), Illegal> {
    let quoted = name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let well_formed = match quoted {
        Some(inside) => quoted_text(inside),
        None => !name.contains(SPECIALS),
    };
    if well_formed {
        Ok(())
    } else {
        Err(Illegal("Illegal characters in display name; quote it"))
    }
}

/// Returns whether every quote and backslash inside a quoted string is escaped.
fn quoted_text(inside: &str) -> bool {
    let mut escaped = false;
    for character in inside.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped
}

fn specification(plain: &str) -> Result<(), Illegal> {
    if !plain.is_ascii() {
        return Err(Illegal("Address contains non-ASCII characters"));
    }
    if plain.len() > MAX_LENGTH {
        return Err(Illegal("Address is too long"));
    }
    let (local, host) = plain
        .rsplit_once('@')
        .ok_or(Illegal("Missing final '@domain'"))?;
    local_part(local)?;
    domain(host)
}

fn local_part(local: &str) -> Result<(), Illegal> {
    if local.is_empty() {
        return Err(Illegal("User name is missing"));
    }
    if local.len() > MAX_LOCAL {
        return Err(Illegal("Local address is too long"));
    }
    if let Some(inside) = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        return if quoted_text(inside) {
            Ok(())
        } else {
            Err(Illegal("Quote not escaped in local address"))
        };
    }
    if local.contains(char::is_whitespace) {
        return Err(Illegal("Local address contains control or whitespace"));
    }
    if local.contains(SPECIALS) || local.contains(['(', ')']) {
        return Err(Illegal("Local address contains illegal character"));
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(Illegal("Local address has a dot in the wrong place"));
    }
    Ok(())
}

fn domain(host: &str) -> Result<(), Illegal> {
    if host.is_empty() {
        return Err(Illegal("Missing final '@domain'"));
    }
    if host.len() > MAX_DOMAIN {
        return Err(Illegal("Domain is too long"));
    }
    for label in host.split('.') {
        if label.is_empty() {
            return Err(Illegal("Domain has a dot in the wrong place"));
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if label.len() > MAX_LABEL
            || !label.bytes().all(legal)
            || label.starts_with('-')
            || label.ends_with('-')
        {
            return Err(Illegal("Domain contains illegal character"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn valid_address_loses_only_its_display_name() {
        for (text, plain) in [
            ("a@b.c", "a@b.c"),
            (
                "SignTusk <noreply@signtusk.localhost>",
                "noreply@signtusk.localhost",
            ),
            (
                "\"Ann, \\\"the\\\" Signer\" <ann+x@example.com>",
                "ann+x@example.com",
            ),
            (
                "=?utf-8?q?J=C3=B6rg?= <joerg@example.com>",
                "joerg@example.com",
            ),
            ("\"odd local\"@example.com", "\"odd local\"@example.com"),
            ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ] {
            assert_eq!(Address::parse_seven_bit(text).unwrap().as_str(), plain);
        }
    }

    #[test]
    fn invalid_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "nobody",
            "@example.com",
            "a@",
            "a@b..c",
            "a@.b",
            "a@b.",
            "a b@c.d",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "a@b_c.d",
            "a@-b.c",
            "a@b.c, d@e.f",
            "a@b.c\r\nBcc: x@y.z",
            "a\0@b.c",
            "jörg@example.com",
            "a@bücher.example",
            "Jörg <a@b.c>",
            "Ann, Bob <a@b.c>",
            "Ann <a@b.c",
            "<a@b.c> x",
            "\"a\"b\"@c.d",
            &long,
        ] {
            assert!(
                Address::parse_seven_bit(text).is_err(),
                "{text:?} was taken"
            );
        }
    }

    #[test]
    fn unicode_display_name_is_accepted_and_a_unicode_address_refused() {
        let address = Address::parse("Jörg <joerg@example.com>").unwrap();
        assert_eq!(address.as_str(), "joerg@example.com");
        assert!(Address::parse("jörg@example.com").is_err());
    }

    #[test]
    fn identity_verifies_only_its_own_addresses() {
        let sender = Address::parse("a+label@mail.example.com").unwrap();
        for identity in ["example.com", "MAIL.example.com", "a@mail.example.com"] {
            assert!(sender.is_verified_by(identity), "{identity}");
        }
        for identity in [
            "ample.com",
            "b@mail.example.com",
            "a@example.com",
            "other.com",
        ] {
            assert!(!sender.is_verified_by(identity), "{identity}");
        }
    }
}

//! The brand of mails: an organisation's name, logo, colour and reply address, from `domain_settings`.
//!
//! The web app writes that table. An invalid setting is ignored and the product's own value is used: a setting must not
//! prevent a mail.

mod colour;

use crate::base::identity;
use crate::protocol::mail::EmailAddress;
use crate::protocol::postgres::{self, Parameter, Postgres, Row, Type, column};
use crate::service::mail::payload::{DisplayName, HttpUrl};

pub use colour::Colour;

/// The product's own name.
const PRODUCT: &str = "SignTusk";

/// The longest displayed name, in characters: a longer one would push the address out of view.
const MAX_NAME_LEN: usize = 60;

const OF_DOMAIN: &str = "SELECT email_from_name, company_logo_url, primary_color, email_from_address \
    FROM public.domain_settings WHERE lower(domain COLLATE \"C\") = $1 ORDER BY domain = $1 DESC, domain LIMIT 1";

/// The settings could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the organisation's settings cannot be read")]
pub struct Error(#[from] postgres::Error);

/// The brand of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    name: Option<String>,
    logo: Option<HttpUrl>,
    colour: Colour,
    reply_to: Option<EmailAddress>,
}

impl Brand {
    /// Returns the organisation's name, or the product's.
    #[must_use]
    pub fn name(&self) -> &str {
        self.own_name().unwrap_or(PRODUCT)
    }

    /// Returns the organisation's name, if it has set one.
    #[must_use]
    pub fn own_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns its logo: an `https` address.
    #[must_use]
    pub fn logo(&self) -> Option<&HttpUrl> {
        self.logo.as_ref()
    }

    /// Returns the colour of buttons.
    #[must_use]
    pub fn colour(&self) -> &Colour {
        &self.colour
    }

    /// Returns the address for replies if the mail itself names none.
    #[must_use]
    pub fn reply_to(&self) -> Option<&EmailAddress> {
        self.reply_to.as_ref()
    }

    /// Returns a brand with the valid settings.
    #[must_use]
    pub fn from_settings(
        name: Option<String>,
        logo: Option<&str>,
        colour: Option<&str>,
        reply_to: Option<&str>,
    ) -> Self {
        let short = |name: &DisplayName| name.as_str().chars().count() <= MAX_NAME_LEN;
        let name = name.and_then(|name| DisplayName::try_from(name).ok());
        let logo = logo.and_then(|logo| HttpUrl::parse(logo).ok());
        Self {
            name: name.filter(short).map(|name| name.as_str().to_owned()),
            logo: logo.filter(|logo| logo.as_str().starts_with("https:")),
            colour: colour.and_then(Colour::parse).unwrap_or_default(),
            reply_to: reply_to.and_then(|address| EmailAddress::parse(address).ok()),
        }
    }

    fn of_row(row: &Row) -> Result<Self, postgres::Error> {
        let text = |name| column::<Option<String>>(row, name);
        Ok(Self::from_settings(
            text("email_from_name")?,
            text("company_logo_url")?.as_deref(),
            text("primary_color")?.as_deref(),
            text("email_from_address")?.as_deref(),
        ))
    }
}

/// The brands in the database.
#[derive(Clone, Debug)]
pub struct Brandings(Postgres);

impl Brandings {
    /// Returns the brands of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Returns the brand of a domain, in one query; the product's own brand if the domain has no settings.
    pub async fn of(&self, domain: &str) -> Result<Brand, Error> {
        let domain = identity::domain(domain);
        let parameters: [Parameter<'_>; 1] = [(&domain, Type::TEXT)];
        let rows = self.0.query(OF_DOMAIN, &parameters).await?;
        Ok(rows
            .first()
            .map(Brand::of_row)
            .transpose()?
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Brand;

    #[test]
    fn valid_branding_settings_are_used() {
        let brand = Brand::from_settings(
            Some("Acme Ltd".to_owned()),
            Some("https://acme.example/logo.png"),
            Some("#0a7"),
            Some("legal@acme.example"),
        );
        assert_eq!(brand.name(), "Acme Ltd");
        assert_eq!(brand.colour().background(), "#00aa77");
        assert_eq!(
            brand.logo().unwrap().as_str(),
            "https://acme.example/logo.png"
        );
        assert_eq!(brand.reply_to().unwrap().as_str(), "legal@acme.example");
    }

    #[test]
    fn invalid_branding_settings_fall_back_to_the_default() {
        for (name, logo, colour, reply_to) in [
            (
                "Acme\r\nBcc: eve@example.com",
                "javascript:alert(1)",
                "red;}",
                "nobody",
            ),
            ("", "http://acme.example/logo.png", "#12345", ""),
            (&"x".repeat(61), "//acme.example", "expression(1)", "a@b@c"),
        ] {
            let name = Some(name.to_owned());
            let brand = Brand::from_settings(name, Some(logo), Some(colour), Some(reply_to));
            assert_eq!(brand, Brand::default(), "{logo}");
            assert_eq!(brand.name(), "SignTusk");
        }
    }
}

//! A certificate of SNS: the signing key and its validity period.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;
use x509_cert::der::Decode as _;
use x509_cert::time::Time;

/// An X.509 certificate (RFC 5280).
///
/// Its chain is not verified: SNS serves the certificate alone. It is trusted because it was fetched from SNS's host
/// over HTTPS.
pub(super) struct Certificate {
    der: CertificateDer<'static>,
    /// The first and the last second of its validity, since 1970.
    time: RangeInclusive<u64>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub(super) fn parse(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        EndEntityCert::try_from(&der).ok()?;
        let validity = x509_cert::Certificate::from_der(&der)
            .ok()?
            .tbs_certificate
            .validity;
        let time = seconds(validity.not_before)..=seconds(validity.not_after);
        Some(Self { der, time })
    }

    /// Returns whether it is valid at this time.
    pub(super) fn is_valid_at(&self, now: Timestamp) -> bool {
        u64::try_from(now.as_second()).is_ok_and(|now| self.time.contains(&now))
    }

    /// Returns whether its key signed `text`: RSA of 2048 bits or more, PKCS #1 v1.5 over SHA-256.
    pub(super) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        EndEntityCert::try_from(&self.der).is_ok_and(|certificate| {
            certificate
                .verify_signature(RSA_PKCS1_2048_8192_SHA256, text, signature)
                .is_ok()
        })
    }
}

fn seconds(time: Time) -> u64 {
    time.to_unix_duration().as_secs()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Certificate;

    /// The certificate of the local topic.
    const PEM: &str = include_str!("../../../../local/mail/assets/sns/local-test.certificate.pem");

    #[test]
    fn certificate_is_valid_only_within_its_dates() {
        let certificate = Certificate::parse(PEM.as_bytes()).unwrap();
        let at = |second: u64| {
            certificate.is_valid_at(Timestamp::from_second(second.try_into().unwrap()).unwrap())
        };
        let (first, last) = (*certificate.time.start(), *certificate.time.end());
        assert!(first < last);
        assert!(at(first) && at(last));
        assert!(!at(first - 1) && !at(last + 1));
        assert!(!certificate.is_valid_at(Timestamp::MIN));
    }

    #[test]
    fn malformed_certificate_is_refused() {
        let cut = &PEM[..PEM.len() / 2];
        let key = PEM.replace("CERTIFICATE", "PUBLIC KEY");
        let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "<html>", cut, &key, hollow] {
            assert!(Certificate::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}

//! Schemas that a derive cannot express: IP addresses, and members that require each other.

use std::borrow::Cow;
use std::marker::PhantomData;

use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Documents an IP address, of either family.
#[derive(Debug)]
pub struct IpAddress;

impl PartialSchema for IpAddress {
    fn schema() -> RefOr<Schema> {
        let family = |format| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
        };
        AnyOfBuilder::new()
            .item(family(KnownFormat::Ipv4))
            .item(family(KnownFormat::Ipv6))
            .description(Some("An IPv4 or IPv6 address."))
            .into()
    }
}

impl ToSchema for IpAddress {}

/// An object whose members require each other.
pub trait Interdependent: ToSchema {
    /// Returns the alternatives, of which at least one must hold.
    fn alternatives() -> Vec<Object>;
}

/// Documents such an object: the derived schema together with one of its alternatives.
#[derive(Debug)]
pub struct Documented<T>(PhantomData<T>);

impl<T: Interdependent> PartialSchema for Documented<T> {
    fn schema() -> RefOr<Schema> {
        let either = T::alternatives()
            .into_iter()
            .fold(AnyOfBuilder::new(), AnyOfBuilder::item);
        AllOfBuilder::new().item(T::schema()).item(either).into()
    }
}

impl<T: Interdependent> ToSchema for Documented<T> {
    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

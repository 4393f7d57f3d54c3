//! The roles of a cluster: Supabase's roles and the login role of the functions.

use std::fmt;

/// The role passwords. They contain only letters and digits, so they need no escaping in URLs and SQL.
#[derive(Clone)]
pub struct Passwords {
    admin: String,
    owner: String,
    functions: String,
}

impl Passwords {
    /// Creates the passwords of `supabase_admin`, `postgres` and `functions`. Characters other than letters and digits
    /// are removed.
    #[must_use]
    pub fn new(admin: &str, owner: &str, functions: &str) -> Self {
        let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect();
        Self {
            admin: plain(admin),
            owner: plain(owner),
            functions: plain(functions),
        }
    }

    pub(super) fn admin(&self) -> &str {
        &self.admin
    }

    pub(super) fn admin_url(&self, port: u16, database: &str) -> String {
        url("supabase_admin", &self.admin, port, database)
    }

    pub(super) fn owner_url(&self, port: u16, database: &str) -> String {
        url("postgres", &self.owner, port, database)
    }

    pub(super) fn functions_url(&self, port: u16, database: &str) -> String {
        url("functions", &self.functions, port, database)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn url(role: &str, password: &str, port: u16, database: &str) -> String {
    format!("postgresql://{role}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// Returns a script that creates missing roles and sets the passwords. It may run at every start.
pub(super) fn script(passwords: &Passwords) -> String {
    let Passwords {
        owner, functions, ..
    } = passwords;
    format!(
        "do $$
         declare wanted text;
         begin
           foreach wanted in array array['postgres', 'functions', 'anon', 'authenticated', 'service_role'] loop
             if not exists (select from pg_roles where rolname = wanted) then
               execute format('create role %I', wanted);
             end if;
           end loop;
         end
         $$;
         alter role postgres login createdb createrole bypassrls password '{owner}';
         alter role functions login password '{functions}';
         alter role service_role bypassrls;
         grant anon, authenticated, service_role to postgres with admin option;"
    )
}

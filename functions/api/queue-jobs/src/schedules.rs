//! `GET`, `PUT /api/queue/schedules`: the schedules and their registration at QStash.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, invalid};
use shared::edge::schema::{Documented, Interdependent};
use shared::edge::{Caller, Result};
use shared::service::job::{Job, JobType, Registered, SCHEDULES, Schedule};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::AppState;

/// The changes to schedules. An empty object registers them, and paused schedules stay paused.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Wish)]
pub struct PutSchedules {
    /// Whether to pause or resume schedules. If absent, they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused: Option<bool>,
    /// Only pause or resume this schedule; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ScheduleId>)]
    schedule_id: Option<String>,
}

impl Interdependent for PutSchedules {
    fn alternatives() -> Vec<Object> {
        let paused = ObjectBuilder::new().schema_type(Type::Boolean);
        let everything = ObjectBuilder::new().schema_type(Type::Null);
        vec![
            ObjectBuilder::new()
                .property("scheduleId", everything)
                .build(),
            ObjectBuilder::new()
                .property("paused", paused)
                .required("paused")
                .build(),
        ]
    }
}

/// The schema of the request.
type PutSchedulesSchema = Documented<PutSchedules>;

/// The schema of schedule ids.
#[derive(Debug)]
pub struct ScheduleId;

impl PartialSchema for ScheduleId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(runnable().map(|schedule| schedule.id)))
            .into()
    }
}

impl ToSchema for ScheduleId {}

/// The schedules.
#[derive(Debug, Serialize, ToSchema)]
pub struct Schedules {
    /// The schedules.
    items: Vec<Item>,
}

/// A schedule that creates jobs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Schedule)]
pub struct Item {
    /// The id of the schedule, also at QStash.
    #[schema(value_type = ScheduleId)]
    schedule_id: &'static str,
    /// The type of job that the schedule creates.
    #[serde(rename = "type")]
    job: JobType,
    /// The cron expression, in UTC: minute, hour, day of the month, month, day of the week.
    cron: &'static str,
    /// Whether the schedule is registered at QStash.
    registered: bool,
    /// Whether the schedule is paused.
    paused: bool,
    /// When the schedule runs next, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_run: Option<Timestamp>,
    /// When the schedule last ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_run: Option<Timestamp>,
    /// The job of the last run.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_result: Option<Job>,
}

/// List schedules
///
/// Includes the next run of each schedule and the job of its last run. Schedules whose function is not built yet are
/// not listed.
#[utoipa::path(
    get,
    operation_id = "listSchedules",
    path = "/api/queue/schedules",
    tag = "jobs",
    params(Caller),
    responses(
        (status = 200, description = "The schedules", body = Schedules),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<Schedules>> {
    caller.must_be_admin()?;
    to_response(&state).await
}

/// Register schedules
///
/// Call this after each deployment; repeating the call creates no duplicates. A paused schedule stays paused unless the
/// body resumes it.
#[utoipa::path(
    put,
    operation_id = "putSchedules",
    path = "/api/queue/schedules",
    tag = "jobs",
    params(Caller),
    request_body = PutSchedulesSchema,
    responses(
        (status = 200, description = "The current schedules", body = Schedules),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(state): State<AppState>,
    caller: Caller,
    input::Json { value: request, .. }: input::Json<PutSchedules>,
) -> Result<Json<Schedules>> {
    caller.must_be_admin()?;
    let selected = selected(&request)?;
    state.publisher.register_schedules().await?;
    if let Some(paused) = request.paused {
        for schedule in selected {
            state.publisher.pause_schedule(schedule, paused).await?;
        }
        tracing::warn!(
            paused,
            schedule = request.schedule_id,
            "schedules paused or resumed by a caller"
        );
    }
    to_response(&state).await
}

/// Returns the schedules to pause or resume.
fn selected(request: &PutSchedules) -> Result<Vec<&'static Schedule>> {
    let Some(id) = request.schedule_id.as_deref() else {
        return Ok(runnable().collect());
    };
    if request.paused.is_none() {
        return Err(invalid("/paused", "is required with scheduleId"));
    }
    let selected: Vec<&Schedule> = runnable().filter(|it| it.id == id).collect();
    if selected.is_empty() {
        return Err(invalid("/scheduleId", "must be the id of a schedule"));
    }
    Ok(selected)
}

/// Returns the schedules whose functions are built.
fn runnable() -> impl Iterator<Item = &'static Schedule> {
    SCHEDULES.iter().filter(|schedule| schedule.job().is_some())
}

async fn to_response(state: &AppState) -> Result<Json<Schedules>> {
    let schedules = state.publisher.schedules().await?;
    let runnable: Vec<_> = schedules
        .into_iter()
        .filter_map(|(schedule, registered)| Some((schedule, schedule.job()?, registered)))
        .collect();
    let last: Vec<&str> = runnable
        .iter()
        .map(|(.., registered)| last_message(registered.as_ref()))
        .collect();
    let mut results = state.jobs.get_each(&last).await?.into_iter();
    let items = runnable
        .iter()
        .map(|(schedule, job, registered)| Item {
            schedule_id: schedule.id,
            job: *job,
            cron: schedule.cron,
            registered: registered.is_some(),
            paused: registered.as_ref().is_some_and(|it| it.is_paused),
            next_run: registered
                .as_ref()
                .filter(|it| !it.is_paused)
                .and_then(|it| it.next_run),
            last_run: registered.as_ref().and_then(|it| it.last_run),
            last_result: results.next().flatten(),
        })
        .collect();
    Ok(Json(Schedules { items }))
}

/// Returns the message id of the last run, which is its job id. If there was no run, returns an id that no job has.
fn last_message(registered: Option<&Registered>) -> &str {
    let messages = registered.map_or(&[][..], |it| &it.last_messages);
    messages.first().map_or("-", String::as_str)
}

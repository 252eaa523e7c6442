//! `system.multicall(calls)`: several calls in one, each `{methodName, params}`; results in their order,
//! each alone in a list, or a fault's struct. A convention of XML-RPC servers; the public index has given
//! it up, because one small request could ask for any amount of work. Here that is bounded: in the number
//! of calls, in what they give back and in time. Each call sees its own announced serial.

use std::time::Duration;

use dxr::{Fault, Value};

use super::super::CallError;
use super::super::params::Params;
use super::super::value::members;
use super::single;
use crate::app::App;

pub(super) const NAME: &str = "system.multicall";

/// Calls in one.
const MOST_CALLS: usize = 100;

/// Values in all results together, above which nothing more is run: about what the largest changelog is.
const MOST_VALUES: usize = 300_000;

/// For all of it.
const MOST_TIME: Duration = Duration::from_secs(30);

pub(super) async fn call(app: &App, mut params: Params) -> Result<Value, CallError> {
    let calls = params.array("calls");
    let calls = params.end(calls)?;
    if calls.len() > MOST_CALLS {
        let problem = format!("calls: List should have at most {MOST_CALLS} items");
        return Err(CallError::parameters(&problem));
    }
    let done = tokio::time::timeout(MOST_TIME, all(app, calls)).await;
    done.unwrap_or_else(|_| {
        let reason = format!(
            "the calls took more than {} s; ask for less",
            MOST_TIME.as_secs()
        );
        Err(CallError::refused(&reason))
    })
}

async fn all(app: &App, calls: Vec<Value>) -> Result<Value, CallError> {
    let mut results = Vec::with_capacity(calls.len());
    let mut values = 0;
    for call in calls {
        let result = if values > MOST_VALUES {
            Err(CallError::refused(
                "the calls before this one gave back too much; ask again",
            ))
        } else {
            one(app, call).await
        };
        results.push(match result {
            Ok(value) => {
                values += count(&value);
                Value::Array(vec![value])
            }
            Err(CallError::Fault(fault)) => told(&fault),
            Err(error @ CallError::Http(_)) => return Err(error),
        });
    }
    Ok(Value::Array(results))
}

async fn one(app: &App, call: Value) -> Result<Value, CallError> {
    let Value::Struct(mut call) = call else {
        return Err(CallError::parameters("calls: Input should be a struct"));
    };
    let Some(Value::String(name)) = call.remove("methodName") else {
        return Err(CallError::parameters(
            "methodName: Input should be a valid string",
        ));
    };
    let Some(Value::Array(params)) = call.remove("params") else {
        return Err(CallError::parameters(
            "params: Input should be a valid list",
        ));
    };
    if name == NAME {
        return Err(CallError::parameters(
            "methodName: system.multicall can't call itself",
        ));
    }
    single(app, &name, Params::new(params)).await
}

fn told(fault: &Fault) -> Value {
    let text = super::super::value::text(fault.string());
    members([
        ("faultCode", Value::Integer(fault.code())),
        ("faultString", text),
    ])
}

/// How many values there are in one, itself included. Ours nest a few levels deep.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Struct(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

//! A call's parameters, taken one by one. Types are strict, as in the public index: a text of digits
//! is no number. All problems of a call are told at once.

use dxr::Value;
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::serial::Serial;
use lockstep_core::version::Version;

use super::CallError;

/// What a text names; `None`: nothing can be called that, which is no mistake of the call.
pub(super) struct Asked<T>(pub(super) Option<T>);

/// What a call was given, in order.
pub(super) struct Params {
    values: std::vec::IntoIter<Value>,
    taken: usize,
    problems: Vec<String>,
}

impl Params {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self {
            values: values.into_iter(),
            taken: 0,
            problems: Vec::new(),
        }
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        let value = self.required(name)?;
        let number = match value {
            Value::Integer(number) => Some(i64::from(number)),
            Value::Long(number) => Some(number),
            _ => None,
        };
        self.or_problem(number, name, "Input should be a valid integer")
    }

    /// A serial, or zero.
    pub(super) fn serial(&mut self, name: &str) -> Option<Serial> {
        let number = self.integer(name)?;
        let reason = "Input should be greater than or equal to 0";
        self.or_problem(Serial::from_column(number), name, reason)
    }

    /// Yes or no; `default` where it is left out.
    pub(super) fn flag(&mut self, name: &str, default: bool) -> Option<bool> {
        let flag = match self.next() {
            None => return Some(default),
            Some(Value::Boolean(flag)) => Some(flag),
            Some(_) => None,
        };
        self.or_problem(flag, name, "Input should be a valid boolean")
    }

    /// A project by any spelling of its name.
    pub(super) fn project(&mut self, name: &str) -> Option<Asked<NormalizedName>> {
        let name = self.text(name)?.parse::<ProjectName>();
        Some(Asked(name.ok().map(|name| name.normalized())))
    }

    /// A version by any spelling.
    pub(super) fn version(&mut self, name: &str) -> Option<Asked<Version>> {
        Some(Asked(self.text(name)?.parse().ok()))
    }

    /// A list of anything.
    pub(super) fn array(&mut self, name: &str) -> Option<Vec<Value>> {
        let array = match self.required(name)? {
            Value::Array(values) => Some(values),
            _ => None,
        };
        self.or_problem(array, name, "Input should be a valid list")
    }

    /// What was taken, if all of it was there and right, and nothing is left over.
    pub(super) fn end<T>(mut self, taken: Option<T>) -> Result<T, CallError> {
        let excess = self.taken..self.taken + self.values.len();
        for position in excess.take(1) {
            let problem = format!("{position}: Unexpected positional argument");
            self.problems.push(problem);
        }
        match taken {
            Some(taken) if self.problems.is_empty() => Ok(taken),
            _ => Err(CallError::parameters(&self.problems.join("; "))),
        }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let text = match self.required(name)? {
            Value::String(text) => Some(text),
            _ => None,
        };
        self.or_problem(text, name, "Input should be a valid string")
    }

    fn next(&mut self) -> Option<Value> {
        self.taken += 1;
        self.values.next()
    }

    fn required(&mut self, name: &str) -> Option<Value> {
        let value = self.next();
        self.or_problem(value, name, "Missing required argument")
    }

    fn or_problem<T>(&mut self, value: Option<T>, name: &str, reason: &str) -> Option<T> {
        if value.is_none() {
            self.problems.push(format!("{name}: {reason}"));
        }
        value
    }
}

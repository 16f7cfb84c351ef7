//! The JSON Schema of a type that files are read as, for editors.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON Schema of files that are read as a `T`.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::default().with_transform(RecursiveTransform(without_null));
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// A key that is left out has no value, and no default either: TOML has no null.
fn without_null(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

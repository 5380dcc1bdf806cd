//! JSON Schema, as much of it as this crate's schemas use. A keyword that is not known here is a
//! failure, so that none goes unchecked.

use serde_json::Value;

/// Returns where, and why, a value does not fit a schema.
pub fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    let mut misfits = Vec::new();
    Check { root: schema }.check(schema, value, "$", &mut misfits);
    misfits
}

struct Check<'a> {
    root: &'a Value,
}

impl Check<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str, misfits: &mut Vec<String>) {
        let schema = schema.as_object().expect("a schema is an object");
        let number = || value.as_f64().unwrap_or(f64::NAN);
        for (keyword, rule) in schema {
            let fits = match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" => true,
                "$ref" => {
                    let pointer = rule.as_str().expect("a pointer").trim_start_matches('#');
                    self.check(self.root.pointer(pointer).expect("a definition"), value, at, misfits);
                    true
                }
                "anyOf" => rule.as_array().expect("schemas").iter().any(|schema| {
                    let mut own = Vec::new();
                    self.check(schema, value, at, &mut own);
                    own.is_empty()
                }),
                "type" => match rule.as_str().expect("one type") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "number" => value.is_number(),
                    other => panic!("the type {other} is not known"),
                },
                "const" => value == rule,
                "enum" => rule.as_array().expect("values").contains(value),
                "minimum" => !value.is_number() || number() >= rule.as_f64().expect("a number"),
                "maximum" => !value.is_number() || number() <= rule.as_f64().expect("a number"),
                "required" => {
                    let names = rule.as_array().expect("names").iter();
                    names.into_iter().all(|name| value.get(name.as_str().expect("a name")).is_some())
                }
                "properties" => {
                    for (name, schema) in rule.as_object().expect("properties") {
                        if let Some(member) = value.get(name) {
                            self.check(schema, member, &format!("{at}.{name}"), misfits);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = |name: &String| {
                        schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
                    };
                    let others = value.as_object().into_iter().flatten().filter(|(name, _)| !known(name));
                    let mut fits = true;
                    for (name, member) in others {
                        match rule {
                            Value::Bool(allowed) => fits &= allowed,
                            rule => self.check(rule, member, &format!("{at}.{name}"), misfits),
                        }
                    }
                    fits
                }
                "items" => {
                    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{at}[{i}]"), misfits);
                    }
                    true
                }
                other => panic!("the keyword {other} is not known"),
            };
            if !fits {
                misfits.push(format!("{at}: {keyword} {rule} does not fit {value}"));
            }
        }
    }
}

//! Every key and every word that a scenario file may hold, with what it means, read out of the schema of scenario
//! files: so `windtunnel explain` knows all of them and cannot fall behind.

use serde_json::Value;

/// A key, or a word that stands in place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it is written.
    pub(crate) name: String,
    /// Where it may stand, as paths of keys: `topology.network`; `policy.retry_on[]` is in a list.
    pub(crate) places: Vec<String>,
    /// What it means.
    pub(crate) about: String,
    /// Whether it is a key.
    pub(crate) is_key: bool,
}

/// All of them. Those with the same name and meaning are one, with several places.
pub(crate) fn words(schema: &Value) -> Vec<Word> {
    let mut reader = Reader { schema, words: Vec::new(), within: Vec::new() };
    reader.read(schema, "", false);
    reader.words
}

struct Reader<'a> {
    schema: &'a Value,
    words: Vec<Word>,
    /// Definitions being read, so that one that holds itself ends.
    within: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Reads what may stand at `path`, or in the list that stands there.
    fn read(&mut self, node: &'a Value, path: &str, in_list: bool) {
        if let Some((name, definition)) = self.definition(node)
            && !self.within.contains(&name)
        {
            self.within.push(name);
            self.read(definition, path, in_list);
            self.within.pop();
        }
        for choices in ["anyOf", "oneOf", "allOf"] {
            for choice in node[choices].as_array().into_iter().flatten() {
                if let Some(word) = choice["const"].as_str() {
                    let place = if in_list { format!("{path}[]") } else { path.to_string() };
                    self.add(word, &place, self.about(choice), false);
                }
                self.read(choice, path, in_list);
            }
        }
        for (key, value) in node["properties"].as_object().into_iter().flatten() {
            let place = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.add(key, &place, self.about(value), true);
            self.read(value, &place, false);
        }
        if node["additionalProperties"].is_object() {
            self.read(&node["additionalProperties"], &format!("{path}.NAME"), false);
        }
        if node["items"].is_object() {
            self.read(&node["items"], path, true);
        }
    }

    fn definition(&self, node: &'a Value) -> Option<(&'a str, &'a Value)> {
        let name = node["$ref"].as_str()?.strip_prefix("#/$defs/")?;
        Some((name, &self.schema["$defs"][name]))
    }

    /// What is said about a node, or about what it refers to.
    fn about(&self, node: &'a Value) -> String {
        let own = node["description"].as_str();
        let referred = || self.definition(node).and_then(|(_, definition)| definition["description"].as_str());
        own.or_else(referred).unwrap_or_default().split_whitespace().collect::<Vec<&str>>().join(" ")
    }

    fn add(&mut self, name: &str, place: &str, about: String, is_key: bool) {
        if about.is_empty() && !is_key {
            // A word such as "none" that its key's description explains.
            return;
        }
        let same = |word: &&mut Word| word.name == name && word.about == about && word.is_key == is_key;
        match self.words.iter_mut().find(same) {
            Some(word) if word.places.iter().any(|p| p == place) => {}
            Some(word) => word.places.push(place.to_string()),
            None => self.words.push(Word { name: name.into(), places: vec![place.into()], about, is_key }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_presets_are_found_with_their_places() {
        let schema = scenarios::schema();
        let words = words(&schema);
        let find = |name: &str, is_key| words.iter().find(|w| w.name == name && w.is_key == is_key);
        let wan = find("wan", false).expect("a preset of the network");
        assert!(wan.places.contains(&"topology.network".to_string()), "{wan:?}");
        assert!(wan.about.contains("continents"), "{wan:?}");
        let refused = find("refused", false).expect("an end of an attempt");
        assert!(refused.places.contains(&"policy.retry_on[]".to_string()), "{refused:?}");
        let servers = find("servers", true).expect("a key of the registry");
        assert_eq!(servers.places, ["registry.servers"]);
        let concurrency = find("concurrency", true).expect("a key of services");
        assert!(concurrency.places.contains(&"service.NAME.concurrency".to_string()), "{concurrency:?}");
    }

    #[test]
    fn every_key_says_what_it_means() {
        let schema = scenarios::schema();
        let mute: Vec<Word> = words(&schema).into_iter().filter(|word| word.about.is_empty()).collect();
        assert_eq!(mute, [], "these have no description");
    }
}

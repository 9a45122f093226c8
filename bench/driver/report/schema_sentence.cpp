#include "report/schema_sentence.h"

#include <fmt/format.h>

#include <optional>

namespace muxbench {
namespace {

constexpr const Json* kNone = nullptr;

const Json* member(const Json* object, const std::string& key) {
  if (object == kNone || !object->is_object()) return kNone;
  const auto found = object->find(key);
  return found == object->end() ? kNone : &*found;
}

// Nothing for the text of an index that is none.
const Json* child(const Json* value, const std::string& key) {
  if (value == kNone || !value->is_array()) return member(value, key);
  const std::size_t index = std::stoul(key);
  return index < value->size() ? &value->at(index) : kNone;
}

class Reader {
 public:
  explicit Reader(const Json& root) : root_(root) {}

  // All that the schema asks of the value at the end of the path, the most particular last.
  std::vector<const Json*> at(const Json& document, const JsonPath& path) const {
    const Json* value = &document;
    std::vector<const Json*> here = {&root_};
    for (const std::string& key : path) {
      std::vector<const Json*> next;
      for (const Json* schema : with_branches(here, value)) {
        if (const Json* below = step(*schema, *value, key)) next.push_back(&resolved(*below));
      }
      here = std::move(next);
      value = child(value, key);
    }
    return here;
  }

 private:
  const Json& resolved(const Json& schema) const {
    const Json* all = member(&schema, "allOf");
    if (all != kNone && !schema.contains("type")) return resolved(all->front());
    const Json* reference = member(&schema, "$ref");
    if (reference == kNone) return schema;
    const auto pointer = reference->get<std::string>().substr(1);  // without #
    return resolved(root_.at(Json::json_pointer(pointer)));
  }

  const Json* step(const Json& schema, const Json& value, const std::string& key) const {
    if (!value.is_array()) {
      const Json* property = member(member(&schema, "properties"), key);
      return property != kNone ? property : member(&schema, "additionalProperties");
    }
    const Json* items = member(&schema, "items");
    return items != kNone && items->is_array() ? child(items, key) : items;
  }

  // An `if` here compares members with constants, and nothing else.
  static bool holds(const Json& condition, const Json* value) {
    for (const auto& [key, expected] : condition.at("properties").items()) {
      const Json* actual = member(value, key);
      if (actual != kNone && *actual != expected.at("const")) return false;
    }
    return true;
  }

  static std::vector<const Json*> with_branches(std::vector<const Json*> schemas,
                                                const Json* value) {
    for (std::size_t i = 0; i < schemas.size(); ++i) {
      const Json* condition = member(schemas[i], "if");
      if (condition == kNone) continue;
      const Json* branch = member(schemas[i], holds(*condition, value) ? "then" : "else");
      if (branch != kNone) schemas.push_back(branch);
    }
    return schemas;
  }

  const Json& root_;
};

std::string list_of(const Json& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : " or ") + value.dump();
  return text;
}

// " of one member or more", " of 2 entries" or nothing.
std::string bounds(const Json& schema, const char* least, const char* most, std::string_view one,
                   std::string_view many) {
  const Json* from = member(&schema, least);
  const Json* to = member(&schema, most);
  if (to != kNone && *to == 0) return fmt::format(" of no {}", many);
  if (from != kNone && to != kNone && *from == *to)
    return fmt::format(" of {} {}", from->dump(), many);
  if (from != kNone && *from == 1) return fmt::format(" of one {} or more", one);
  if (from != kNone) return fmt::format(" of {} {} or more", from->dump(), many);
  return "";
}

std::string number_text(const Json& schema, std::string_view number) {
  const Json* least = member(&schema, "minimum");
  const Json* above = member(&schema, "exclusiveMinimum");
  if (above != kNone) return fmt::format("{} above {}", number, above->dump());
  return least != kNone ? fmt::format("{} of {} or more", number, least->dump())
                        : std::string(number);
}

std::string type_text(const Json& schema, const std::string& type) {
  if (type == "object") {
    return "an object" + bounds(schema, "minProperties", "maxProperties", "member", "members");
  }
  if (type == "array") return "a list" + bounds(schema, "minItems", "maxItems", "entry", "entries");
  if (type == "integer") return number_text(schema, "a whole number");
  if (type == "number") return number_text(schema, "a number");
  if (type == "boolean") return "true or false";
  if (type == "null") return "null";
  return member(&schema, "minLength") != kNone ? "a string that is not empty" : "a string";
}

std::optional<std::string> expected_by(const Json& schema) {
  if (const Json* title = member(&schema, "title")) return title->get<std::string>();
  if (const Json* values = member(&schema, "enum")) return list_of(*values);
  if (const Json* value = member(&schema, "const")) return value->dump();
  if (member(&schema, "maxItems") != kNone) return type_text(schema, "array");
  if (member(&schema, "maxProperties") != kNone) return type_text(schema, "object");
  const Json* type = member(&schema, "type");
  if (type == kNone) return {};
  if (type->is_string()) return type_text(schema, type->get<std::string>());
  std::string text;
  for (const Json& one : *type) {
    text += (text.empty() ? "" : " or ") + type_text(schema, one.get<std::string>());
  }
  return text;
}

}  // namespace

std::string place_text(const Json& document, const JsonPath& path) {
  std::string text;
  const Json* value = &document;
  for (const std::string& key : path) {
    if (value != kNone && value->is_array()) {
      text += fmt::format("[{}]", key);
    } else {
      // As JSON writes it, so that the sentence stays on one line whatever is in the name.
      const std::string name = Json(key).dump(-1, ' ', false, Json::error_handler_t::replace);
      text += fmt::format("{}{:.100}", text.empty() ? "" : ".", name.substr(1, name.size() - 2));
    }
    value = child(value, key);
  }
  return text.empty() ? "the file" : text;
}

std::string expected_at(const Json& schema, const Json& document, const JsonPath& path) {
  const auto schemas = Reader(schema).at(document, path);
  for (auto one = schemas.rbegin(); one != schemas.rend(); ++one) {
    if (const auto text = expected_by(**one)) return *text;
  }
  return "as results/schema.json says";
}

}  // namespace muxbench

#include "report/schema_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "schema_text.h"  // written by the build: kSchemaText, which is results/schema.json

namespace muxbench {
namespace {

using Plain = nlohmann::json;  // valijson's adapter takes no other
using Adapter = valijson::adapters::NlohmannJsonAdapter;

bool all_strings(const Plain& list) {
  return std::all_of(list.begin(), list.end(), [](const Plain& one) { return one.is_string(); });
}

// Takes away what a newer minor version need not keep to.
void open_up(Plain& schema) {
  if (schema.is_object()) {
    if (const auto more = schema.find("additionalProperties");
        more != schema.end() && *more == false) {
      schema.erase(more);
    }
    if (const auto words = schema.find("enum");
        words != schema.end() && words->is_array() && all_strings(*words)) {
      schema.erase(words);
      schema["type"] = "string";
    }
  }
  for (auto& part : schema) {
    if (part.is_structured()) open_up(part);
  }
}

struct KnownSchema {
  Plain document;
  valijson::Schema schema;

  KnownSchema() : document(Plain::parse(kSchemaText)) {
    open_up(document);
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(Adapter(document), schema);
  }
};

// What the schema describes at a place of the document, given as valijson does: "<root>", "[muxbench]",
// "[cells]", "[3]". Null where it says nothing of it.
const Plain* described_at(const Plain& schema, const std::vector<std::string>& context) {
  const auto resolved = [&](const Plain* part) {
    while (part != nullptr && (part->contains("$ref") || part->contains("allOf"))) {
      if (part->contains("allOf")) {
        part = &part->at("allOf").front();
      } else {
        const auto reference = part->at("$ref").get<std::string>();
        part = &schema.at(Plain::json_pointer(reference.substr(1)));
      }
    }
    return part;
  };
  const Plain* part = &schema;
  for (std::size_t i = 1; i < context.size(); ++i) {
    part = resolved(part);
    const std::string name = context[i].substr(1, context[i].size() - 2);
    const auto member = [&](const char* keyword) -> const Plain* {
      const auto found = part->find(keyword);
      return found == part->end() || !found->is_structured() ? nullptr : &*found;
    };
    const Plain* members = member("properties");
    const Plain* items = member("items");
    if (members != nullptr && members->contains(name)) {
      part = &members->at(name);
    } else if (items != nullptr && items->is_array()) {
      const std::size_t index = std::stoul(name);
      part = index < items->size() ? &items->at(index) : nullptr;
    } else {
      part = items != nullptr ? items : member("additionalProperties");
    }
    if (part == nullptr || !part->is_object()) return nullptr;
  }
  return resolved(part);
}

std::string at_least(const Plain& schema, const char* keyword, const char* what) {
  if (!schema.contains(keyword)) return what;
  return fmt::format("{} of {} or more", what, schema.at(keyword).dump());
}

// "a whole number of 0 or more"; empty if the type does not say it.
std::string describe(const Plain& schema) {
  const std::string type = schema.contains("type") && schema.at("type").is_string()
                               ? schema.at("type").get<std::string>()
                               : "";
  if (type == "string") return schema.contains("minLength") ? "a string with text" : "a string";
  if (type == "boolean") return "true or false";
  if (type == "integer") return at_least(schema, "minimum", "a whole number");
  if (type == "number" && schema.contains("exclusiveMinimum")) return "a number above 0";
  if (type == "number") return at_least(schema, "minimum", "a number");
  if (type == "object") {
    return schema.contains("minProperties") ? "an object of one member or more" : "an object";
  }
  if (type != "array") return "";
  if (!schema.contains("minItems")) return "a list";
  const auto least = schema.at("minItems").get<int>();
  if (schema.value("maxItems", 0) == least) return fmt::format("a list of {} entries", least);
  return least == 1 ? "a list of one entry or more"
                    : fmt::format("a list of {} entries or more", least);
}

// "muxbench.cells[3]"
std::string place_of(const std::vector<std::string>& context) {
  std::string place;
  for (std::size_t i = 1; i < context.size(); ++i) {
    const std::string name = context[i].substr(1, context[i].size() - 2);
    const bool index = name.find_first_not_of("0123456789") == std::string::npos;
    place += index ? context[i] : (place.empty() ? "" : ".") + name;
  }
  return place.empty() ? "the document" : place;
}

// Of a wrong type or a missing member, if that is among the errors: whatever else is wrong follows
// from it. The first error is of an innermost place; those after it are of what holds that.
const valijson::ValidationResults::Error& most_telling(const valijson::ValidationResults& results) {
  for (const std::string_view kind : {"Value type not permitted", "Missing required property"}) {
    const auto found = std::find_if(results.begin(), results.end(), [&](const auto& error) {
      return error.description.starts_with(kind);
    });
    if (found != results.end()) return *found;
  }
  return *results.begin();
}

std::string sentence_of(const valijson::ValidationResults::Error& error, const Plain& schema) {
  constexpr std::string_view kMissing = "Missing required property '";
  const std::string place = place_of(error.context);
  if (error.description.starts_with(kMissing)) {
    const auto begin = kMissing.size();
    const auto name = error.description.substr(begin, error.description.rfind('\'') - begin);
    return fmt::format("{}.{} should be there", place, name);
  }
  const Plain* described = described_at(schema, error.context);
  const std::string expected = described == nullptr ? "" : describe(*described);
  const bool of_form = error.description.find("constraint") != std::string::npos &&
                       error.description.find("'type'") == std::string::npos;
  if (expected.empty() || of_form) {
    return fmt::format("{} should be as results/schema.json describes it", place);
  }
  return fmt::format("{} should be {}", place, expected);
}

}  // namespace

std::optional<std::string> schema_mistake(const Json& report) {
  static const KnownSchema known;
  const Plain plain(report);
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(known.schema, Adapter(plain), &results)) return {};
  return sentence_of(most_telling(results), known.document);
}

}  // namespace muxbench

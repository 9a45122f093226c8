#include "report/schema_check.h"

#include <algorithm>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "report/schema_sentence.h"
#include "report/valijson_adapter.h"
#include "schema_text.h"  // written by the build: kSchemaText, which is results/schema.json

namespace muxbench {
namespace {

using valijson_adapter::Adapter;

bool all_strings(const Json& list) {
  return std::all_of(list.begin(), list.end(), [](const Json& one) { return one.is_string(); });
}

// Takes away what a newer minor version need not keep to, and what an older one did not.
void open_up(Json& schema) {
  if (schema.is_object()) {
    const auto more = schema.find("additionalProperties");
    if (more != schema.end() && *more == false) schema.erase(more);
    const auto words = schema.find("enum");
    if (words != schema.end() && words->is_array() && all_strings(*words)) {
      schema.erase(words);
      schema["type"] = "string";
    }
    const auto all = schema.find("allOf");
    if (all != schema.end() && all->front().value("$comment", "") == "since 1.1") schema.erase(all);
  }
  for (auto& part : schema) {
    if (part.is_structured()) open_up(part);
  }
}

struct KnownSchema {
  Json document = Json::parse(kSchemaText);
  valijson::Schema opened;

  KnownSchema() {
    Json reader = document;
    open_up(reader);
    valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(Adapter(reader), opened);
  }
};

// The library's "[muxbench]", "[cells]", "[3]"; its first entry is the root.
JsonPath path_of(const std::vector<std::string>& context) {
  JsonPath path;
  for (std::size_t i = 1; i < context.size(); ++i) {
    path.push_back(context[i].substr(1, context[i].size() - 2));
  }
  return path;
}

// What stands between quotes at the end of a description, if it begins so.
std::optional<std::string> named_in(const std::string& description, std::string_view beginning) {
  if (!description.starts_with(beginning)) return {};
  const std::string rest = description.substr(beginning.size());
  return rest.substr(0, rest.rfind('\''));
}

using LibraryError = valijson::ValidationResults::Error;
constexpr std::string_view kMissing = "Missing required property '";

bool within(const LibraryError& inner, const LibraryError& outer) {
  return outer.context.size() <= inner.context.size() &&
         std::equal(outer.context.begin(), outer.context.end(), inner.context.begin());
}

// Of the library's errors the first that is no consequence of another. Those that an `if` leads to
// come before the others of the same object and say less: a wrong `status` makes them. Of these a
// member that is missing says most.
const LibraryError& most_useful(const std::vector<LibraryError>& errors) {
  std::vector<bool> lesser(errors.size());
  for (std::size_t end = 0; end < errors.size(); ++end) {
    lesser[end] = lesser[end] || errors[end].description.starts_with("Failed to validate");
    if (!errors[end].description.ends_with("set by if-then-else constraints.")) continue;
    for (std::size_t i = end; i > 0 && within(errors[i - 1], errors[end]); --i) {
      lesser[i - 1] = true;
    }
  }
  const auto found = std::find(lesser.begin(), lesser.end(), false);
  if (found != lesser.end()) return errors[static_cast<std::size_t>(found - lesser.begin())];
  const auto missing = std::find_if(errors.begin(), errors.end(), [](const LibraryError& error) {
    return error.description.starts_with(kMissing);
  });
  return missing != errors.end() ? *missing : errors.front();
}

std::string sentence(const LibraryError& error, const Json& report, const Json& schema) {
  JsonPath path = path_of(error.context);
  if (const auto name = named_in(error.description, kMissing)) {
    path.push_back(*name);
    return place_text(report, path) + " should be there";
  }
  // No mistake is told within the member: there should be no such member.
  if (const auto name = named_in(
          error.description, "Failed to validate against schema associated with property name '")) {
    path.push_back(*name);
    return place_text(report, path) + " should not be there";
  }
  return place_text(report, path) + " should be " + expected_at(schema, report, path);
}

}  // namespace

std::optional<std::string> schema_mistake(const Json& report) {
  static const KnownSchema known;
  valijson::Validator validator;
  // Most reports are valid, and that is known sooner where no mistakes are collected.
  if (validator.validate(known.opened, Adapter(report), nullptr)) return {};
  valijson::ValidationResults results;
  validator.validate(known.opened, Adapter(report), &results);
  return sentence(most_useful({results.begin(), results.end()}), report, known.document);
}

}  // namespace muxbench

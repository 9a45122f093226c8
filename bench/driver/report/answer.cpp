#include "report/answer.h"

#include "report/point_json.h"

namespace muxbench::report {
namespace {

Json entries_json(const std::vector<AnswerEntry>& entries) {
  Json list = Json::array();
  for (const AnswerEntry& entry : entries) {
    list.push_back({{"model", entry.model},
                    {"value", entry.value},
                    {"ratio", entry.ratio},
                    {"low", entry.low},
                    {"high", entry.high}});
  }
  return list;
}

Json row_json(const AnswerRow& row) {
  Json json{{"question", row.question}, {"experiment", row.experiment}, {"measured", row.measured}};
  if (!row.decided()) return json;
  json["where"] = row.where;
  json["point"] = point_json(row.point);
  json["metric"] = row.metric;
  json["reference"] = row.reference;
  json["best"] = entries_json(row.best);
  json["between"] = entries_json(row.between);
  json["avoid"] = entries_json(row.avoid);
  json["unable"] = Json::array();
  for (const AnswerUnable& unable : row.unable) {
    json["unable"].push_back({{"reason", unable.reason}, {"models", unable.models}});
  }
  return json;
}

std::vector<AnswerEntry> read_entries(const Json& list) {
  std::vector<AnswerEntry> entries;
  for (const Json& json : list) {
    entries.push_back({.model = json.at("model").get<std::string>(),
                       .value = json.at("value").get<double>(),
                       .ratio = json.at("ratio").get<double>(),
                       .low = json.at("low").get<double>(),
                       .high = json.at("high").get<double>()});
  }
  return entries;
}

AnswerRow read_row(const Json& json) {
  AnswerRow row{.question = json.at("question").get<std::string>(),
                .experiment = json.at("experiment").get<std::string>(),
                .measured = json.at("measured").get<bool>()};
  if (!json.contains("best")) return row;
  row.where = json.at("where").get<std::string>();
  row.metric = json.at("metric").get<std::string>();
  row.reference = json.at("reference").get<std::string>();
  row.point = read_point(json.at("point"));
  row.best = read_entries(json.at("best"));
  row.between = read_entries(json.at("between"));
  row.avoid = read_entries(json.at("avoid"));
  for (const Json& unable : json.at("unable")) {
    row.unable.push_back({.reason = unable.at("reason").get<std::string>(),
                          .models = unable.at("models").get<std::vector<std::string>>()});
  }
  return row;
}

}  // namespace

Json answer_json(const Answer& answer) {
  const Trust& trust = answer.trust;
  Json json{{"trust", {{"cells", trust.cells}}}, {"rows", Json::array()}};
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value) json["trust"][key] = *value;
  };
  put("half_width_of_half", trust.half_width_of_half);
  put("half_width_of_most", trust.half_width_of_most);
  put("twins_apart", trust.twins_apart);
  put("host_change", trust.host_change);
  for (const AnswerRow& row : answer.rows) json["rows"].push_back(row_json(row));
  return json;
}

Answer read_answer(const Json& json) {
  Answer answer;
  const Json& trust = json.at("trust");
  answer.trust = {.cells = trust.at("cells").get<std::size_t>(),
                  .half_width_of_half = number_at(trust, "/half_width_of_half"),
                  .half_width_of_most = number_at(trust, "/half_width_of_most"),
                  .twins_apart = number_at(trust, "/twins_apart"),
                  .host_change = number_at(trust, "/host_change")};
  for (const Json& row : json.at("rows")) answer.rows.push_back(read_row(row));
  return answer;
}

}  // namespace muxbench::report

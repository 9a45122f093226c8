// Values that become JSON and come back without loss. A struct names its members once, for both ways:
//
//   template <>
//   struct Fields<CpuTime> {
//     static void each(auto& time, const auto& use) {
//       use("user", time.user);
//       use("system", time.system);
//     }
//   };
//
// What follows from other members is no field: `static void complete(T&)` computes it after reading.
// An optional that is empty is absent. Reading throws Json::exception where a value is of another kind.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "json/json.h"

namespace muxbench {

template <typename T>
struct Fields;

namespace fields {

template <typename T>
concept Struct = requires(T& value) {
  Fields<T>::each(value, [](const char*, auto&) {});
};

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <typename T>
inline constexpr bool is_list = false;
template <typename T>
inline constexpr bool is_list<std::vector<T>> = true;
template <typename T>
inline constexpr bool is_list<std::set<T>> = true;

template <typename T>
inline constexpr bool is_by_name = false;
template <typename T>
inline constexpr bool is_by_name<std::map<std::string, T>> = true;

template <typename T>
inline constexpr bool is_pair = false;
template <typename A, typename B>
inline constexpr bool is_pair<std::pair<A, B>> = true;

template <typename T>
inline constexpr bool is_duration = false;
template <typename Rep, typename Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <typename T>
inline constexpr bool is_time = false;
template <typename Clock, typename Duration>
inline constexpr bool is_time<std::chrono::time_point<Clock, Duration>> = true;

}  // namespace fields

template <typename T>
Json to_fields(const T& value) {
  if constexpr (fields::Struct<T>) {
    Json json = Json::object();
    Fields<T>::each(value, [&](const char* key, const auto& member) {
      if (Json field = to_fields(member); !field.is_null()) json[key] = std::move(field);
    });
    return json;
  } else if constexpr (fields::is_optional<T>) {
    return value ? to_fields(*value) : Json();
  } else if constexpr (fields::is_list<T>) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(to_fields(item));
    return list;
  } else if constexpr (fields::is_by_name<T>) {
    Json object = Json::object();
    for (const auto& [name, item] : value) object[name] = to_fields(item);
    return object;
  } else if constexpr (fields::is_pair<T>) {
    return Json::array({to_fields(value.first), to_fields(value.second)});
  } else if constexpr (fields::is_duration<T>) {
    return value.count();
  } else if constexpr (fields::is_time<T>) {
    return value.time_since_epoch().count();
  } else {
    return value;
  }
}

template <typename T>
T from_fields(const Json& json) {
  T value{};
  if constexpr (fields::Struct<T>) {
    Fields<T>::each(value, [&]<typename Member>(const char* key, Member& member) {
      if (const auto field = json.find(key); field != json.end()) {
        member = from_fields<Member>(*field);
      }
    });
    if constexpr (requires { Fields<T>::complete(value); }) Fields<T>::complete(value);
  } else if constexpr (fields::is_optional<T>) {
    if (!json.is_null()) value = from_fields<typename T::value_type>(json);
  } else if constexpr (fields::is_list<T>) {
    for (const Json& item : json) {
      value.insert(value.end(), from_fields<typename T::value_type>(item));
    }
  } else if constexpr (fields::is_by_name<T>) {
    for (const auto& [name, item] : json.items()) {
      value.emplace(name, from_fields<typename T::mapped_type>(item));
    }
  } else if constexpr (fields::is_pair<T>) {
    value = {from_fields<typename T::first_type>(json.at(0)),
             from_fields<typename T::second_type>(json.at(1))};
  } else if constexpr (fields::is_duration<T>) {
    value = T(json.get<typename T::rep>());
  } else if constexpr (fields::is_time<T>) {
    value = T(from_fields<typename T::duration>(json));
  } else {
    value = json.get<T>();
  }
  return value;
}

}  // namespace muxbench

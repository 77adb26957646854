"""Repositories that exist on this machine already, so that Bazel needs no network."""

def _generated_repository_impl(ctx):
    for path, content in ctx.attr.files.items():
        ctx.file(path, content)

_generated_repository = repository_rule(
    implementation = _generated_repository_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
    doc = "A repository made of the given files: a dict of path to content.",
)

def _native_rules(name, language, rules):
    """Stands in for rules_cc and rules_java, whose rules Bazel 4 has built in."""
    _generated_repository(
        name = name,
        files = {
            "BUILD": "",
            language + "/BUILD": "",
            language + "/defs.bzl": "".join(["%s = native.%s\n" % (rule, rule) for rule in rules]),
        },
    )

def offline_repositories():
    """Declares what Bazel 4 would fetch from the network before it builds or tests any C++."""
    _native_rules("rules_cc", "cc", [
        "cc_binary",
        "cc_import",
        "cc_library",
        "cc_test",
        "cc_toolchain",
        "cc_toolchain_suite",
    ])
    _native_rules("rules_java", "java", [
        "java_binary",
        "java_import",
        "java_runtime",
        "java_toolchain",
    ])

    # Every test rule names these two, though only `bazel coverage` runs them.
    _generated_repository(
        name = "remote_coverage_tools",
        files = {"BUILD": """
package(default_visibility = ["//visibility:public"])
filegroup(name = "coverage_report_generator")
filegroup(name = "lcov_merger")
"""},
    )

def system_googletest(name):
    """GoogleTest as the system's package manager installs it (Debian: libgtest-dev)."""
    _generated_repository(
        name = name,
        files = {"BUILD": """
load("@rules_cc//cc:defs.bzl", "cc_library")
cc_library(
    name = "gtest_main",
    linkopts = ["-lgtest_main", "-lgtest", "-pthread"],
    visibility = ["//visibility:public"],
)
"""},
    )

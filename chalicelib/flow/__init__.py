"""The steps a submission goes through, in order: receive, process, route, notify; beside them tick."""

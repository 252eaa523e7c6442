-- Feeds: the newest releases and projects without walking over the whole changelog.

create index changelog_new_releases on changelog (serial desc) where kind = 'new-release';
create index changelog_new_projects on changelog (serial desc) where kind = 'create';

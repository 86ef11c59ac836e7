#!/bin/bash
# Prepares an empty data directory from the MYSQL_* variables, then becomes the server; an existing one is left as it is.
set -euo pipefail

readonly data=/var/lib/mysql
readonly unfinished=$data/.initialising

fail() {
    echo "Cannot start MariaDB: $*" >&2
    exit 2
}

# Within a quoted SQL string; the server is told below that a backslash is an ordinary character.
quoted() {
    local -r quote="'"
    printf "'%s'" "${1//$quote/$quote$quote}"
}

identifier() {
    local -r quote='`'
    printf '%s' "$quote${1//$quote/$quote$quote}$quote"
}

check_settings() {
    [[ -n ${MYSQL_ROOT_PASSWORD:-} ]] || fail "the data directory is empty and MYSQL_ROOT_PASSWORD is not set; set it."
    [[ ${MYSQL_USER:-} != root ]] || fail "MYSQL_USER is root, which exists already; choose another name."
    [[ -z ${MYSQL_USER:-} || -n ${MYSQL_PASSWORD:-} ]] || fail "MYSQL_USER is set and MYSQL_PASSWORD is not; set both."
}

first_statements() {
    # A bootstrap server takes one statement per line.
    echo "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES';"
    # A bootstrap server checks no privileges and accepts no account until the tables are loaded.
    echo 'FLUSH PRIVILEGES;'
    echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
    echo "CREATE OR REPLACE USER 'root'@'%' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
    echo "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;"
    if [[ -n ${MYSQL_DATABASE:-} ]]; then
        echo "CREATE DATABASE IF NOT EXISTS $(identifier "$MYSQL_DATABASE");"
    fi
    if [[ -n ${MYSQL_USER:-} ]]; then
        echo "CREATE OR REPLACE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "$MYSQL_PASSWORD");"
        if [[ -n ${MYSQL_DATABASE:-} ]]; then
            # In a GRANT on a database, _ and % of its name are wildcards unless escaped.
            local name=${MYSQL_DATABASE//_/\\_}
            echo "GRANT ALL ON $(identifier "${name//%/\\%}").* TO $(quoted "$MYSQL_USER")@'%';"
        fi
    fi
}

initialise() {
    check_settings
    echo "Preparing an empty data directory."
    # What a killed first start left behind is half a database: begin again.
    find "$data" -mindepth 1 ! -name lost+found -delete
    touch "$unfinished"
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve >/dev/null
    first_statements | mariadbd --bootstrap --datadir="$data" --skip-networking
    rm "$unfinished"
    echo "The data directory is ready."
}

if [[ ${1:-} != mariadbd && ${1:-} != mysqld && ${1:-} != -* ]]; then
    exec "$@"
fi
[[ ${1:-} != -* ]] || set -- mariadbd "$@"
[[ $1 != mysqld ]] || set -- mariadbd "${@:2}"

if [[ $(id -u) == 0 ]]; then
    find "$data" \! -user mysql -exec chown mysql:mysql {} +
    exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
fi
if [[ ! -d $data/mysql || -e $unfinished ]]; then
    initialise
fi
unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD
exec "$@"

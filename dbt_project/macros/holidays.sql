{#- Public holidays, written by make_holidays.py: not for editing. -#}

{#- The holidays of a country (ISO 3166) as a list of [day, name]. -#}
{% macro holidays_of(country) -%}
    {%- set holidays = {} -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-01-06 Epiphany
2010-04-05 Easter Monday
2010-05-01 Labor Day
2010-05-13 Ascension Day
2010-05-24 Pentecost Monday
2010-06-03 Corpus Christi
2010-08-15 Assumption Day
2010-10-26 National Day
2010-11-01 All Saints' Day
2010-12-08 Immaculate Conception
2010-12-25 Christmas Day
2010-12-26 Saint Stephen's Day
2011-01-01 New Year's Day
2011-01-06 Epiphany
2011-04-25 Easter Monday
2011-05-01 Labor Day
2011-06-02 Ascension Day
2011-06-13 Pentecost Monday
2011-06-23 Corpus Christi
2011-08-15 Assumption Day
2011-10-26 National Day
2011-11-01 All Saints' Day
2011-12-08 Immaculate Conception
2011-12-25 Christmas Day
2011-12-26 Saint Stephen's Day
2012-01-01 New Year's Day
2012-01-06 Epiphany
2012-04-09 Easter Monday
2012-05-01 Labor Day
2012-05-17 Ascension Day
2012-05-28 Pentecost Monday
2012-06-07 Corpus Christi
2012-08-15 Assumption Day
2012-10-26 National Day
2012-11-01 All Saints' Day
2012-12-08 Immaculate Conception
2012-12-25 Christmas Day
2012-12-26 Saint Stephen's Day
2013-01-01 New Year's Day
2013-01-06 Epiphany
2013-04-01 Easter Monday
2013-05-01 Labor Day
2013-05-09 Ascension Day
2013-05-20 Pentecost Monday
2013-05-30 Corpus Christi
2013-08-15 Assumption Day
2013-10-26 National Day
2013-11-01 All Saints' Day
2013-12-08 Immaculate Conception
2013-12-25 Christmas Day
2013-12-26 Saint Stephen's Day
2014-01-01 New Year's Day
2014-01-06 Epiphany
2014-04-21 Easter Monday
2014-05-01 Labor Day
2014-05-29 Ascension Day
2014-06-09 Pentecost Monday
2014-06-19 Corpus Christi
2014-08-15 Assumption Day
2014-10-26 National Day
2014-11-01 All Saints' Day
2014-12-08 Immaculate Conception
2014-12-25 Christmas Day
2014-12-26 Saint Stephen's Day
2015-01-01 New Year's Day
2015-01-06 Epiphany
2015-04-06 Easter Monday
2015-05-01 Labor Day
2015-05-14 Ascension Day
2015-05-25 Pentecost Monday
2015-06-04 Corpus Christi
2015-08-15 Assumption Day
2015-10-26 National Day
2015-11-01 All Saints' Day
2015-12-08 Immaculate Conception
2015-12-25 Christmas Day
2015-12-26 Saint Stephen's Day
2016-01-01 New Year's Day
2016-01-06 Epiphany
2016-03-28 Easter Monday
2016-05-01 Labor Day
2016-05-05 Ascension Day
2016-05-16 Pentecost Monday
2016-05-26 Corpus Christi
2016-08-15 Assumption Day
2016-10-26 National Day
2016-11-01 All Saints' Day
2016-12-08 Immaculate Conception
2016-12-25 Christmas Day
2016-12-26 Saint Stephen's Day
2017-01-01 New Year's Day
2017-01-06 Epiphany
2017-04-17 Easter Monday
2017-05-01 Labor Day
2017-05-25 Ascension Day
2017-06-05 Pentecost Monday
2017-06-15 Corpus Christi
2017-08-15 Assumption Day
2017-10-26 National Day
2017-11-01 All Saints' Day
2017-12-08 Immaculate Conception
2017-12-25 Christmas Day
2017-12-26 Saint Stephen's Day
2018-01-01 New Year's Day
2018-01-06 Epiphany
2018-04-02 Easter Monday
2018-05-01 Labor Day
2018-05-10 Ascension Day
2018-05-21 Pentecost Monday
2018-05-31 Corpus Christi
2018-08-15 Assumption Day
2018-10-26 National Day
2018-11-01 All Saints' Day
2018-12-08 Immaculate Conception
2018-12-25 Christmas Day
2018-12-26 Saint Stephen's Day
2019-01-01 New Year's Day
2019-01-06 Epiphany
2019-04-22 Easter Monday
2019-05-01 Labor Day
2019-05-30 Ascension Day
2019-06-10 Pentecost Monday
2019-06-20 Corpus Christi
2019-08-15 Assumption Day
2019-10-26 National Day
2019-11-01 All Saints' Day
2019-12-08 Immaculate Conception
2019-12-25 Christmas Day
2019-12-26 Saint Stephen's Day
2020-01-01 New Year's Day
2020-01-06 Epiphany
2020-04-13 Easter Monday
2020-05-01 Labor Day
2020-05-21 Ascension Day
2020-06-01 Pentecost Monday
2020-06-11 Corpus Christi
2020-08-15 Assumption Day
2020-10-26 National Day
2020-11-01 All Saints' Day
2020-12-08 Immaculate Conception
2020-12-25 Christmas Day
2020-12-26 Saint Stephen's Day
2021-01-01 New Year's Day
2021-01-06 Epiphany
2021-04-05 Easter Monday
2021-05-01 Labor Day
2021-05-13 Ascension Day
2021-05-24 Pentecost Monday
2021-06-03 Corpus Christi
2021-08-15 Assumption Day
2021-10-26 National Day
2021-11-01 All Saints' Day
2021-12-08 Immaculate Conception
2021-12-25 Christmas Day
2021-12-26 Saint Stephen's Day
2022-01-01 New Year's Day
2022-01-06 Epiphany
2022-04-18 Easter Monday
2022-05-01 Labor Day
2022-05-26 Ascension Day
2022-06-06 Pentecost Monday
2022-06-16 Corpus Christi
2022-08-15 Assumption Day
2022-10-26 National Day
2022-11-01 All Saints' Day
2022-12-08 Immaculate Conception
2022-12-25 Christmas Day
2022-12-26 Saint Stephen's Day
2023-01-01 New Year's Day
2023-01-06 Epiphany
2023-04-10 Easter Monday
2023-05-01 Labor Day
2023-05-18 Ascension Day
2023-05-29 Pentecost Monday
2023-06-08 Corpus Christi
2023-08-15 Assumption Day
2023-10-26 National Day
2023-11-01 All Saints' Day
2023-12-08 Immaculate Conception
2023-12-25 Christmas Day
2023-12-26 Saint Stephen's Day
2024-01-01 New Year's Day
2024-01-06 Epiphany
2024-04-01 Easter Monday
2024-05-01 Labor Day
2024-05-09 Ascension Day
2024-05-20 Pentecost Monday
2024-05-30 Corpus Christi
2024-08-15 Assumption Day
2024-10-26 National Day
2024-11-01 All Saints' Day
2024-12-08 Immaculate Conception
2024-12-25 Christmas Day
2024-12-26 Saint Stephen's Day
2025-01-01 New Year's Day
2025-01-06 Epiphany
2025-04-21 Easter Monday
2025-05-01 Labor Day
2025-05-29 Ascension Day
2025-06-09 Pentecost Monday
2025-06-19 Corpus Christi
2025-08-15 Assumption Day
2025-10-26 National Day
2025-11-01 All Saints' Day
2025-12-08 Immaculate Conception
2025-12-25 Christmas Day
2025-12-26 Saint Stephen's Day
2026-01-01 New Year's Day
2026-01-06 Epiphany
2026-04-06 Easter Monday
2026-05-01 Labor Day
2026-05-14 Ascension Day
2026-05-25 Pentecost Monday
2026-06-04 Corpus Christi
2026-08-15 Assumption Day
2026-10-26 National Day
2026-11-01 All Saints' Day
2026-12-08 Immaculate Conception
2026-12-25 Christmas Day
2026-12-26 Saint Stephen's Day
2027-01-01 New Year's Day
2027-01-06 Epiphany
2027-03-29 Easter Monday
2027-05-01 Labor Day
2027-05-06 Ascension Day
2027-05-17 Pentecost Monday
2027-05-27 Corpus Christi
2027-08-15 Assumption Day
2027-10-26 National Day
2027-11-01 All Saints' Day
2027-12-08 Immaculate Conception
2027-12-25 Christmas Day
2027-12-26 Saint Stephen's Day
2028-01-01 New Year's Day
2028-01-06 Epiphany
2028-04-17 Easter Monday
2028-05-01 Labor Day
2028-05-25 Ascension Day
2028-06-05 Pentecost Monday
2028-06-15 Corpus Christi
2028-08-15 Assumption Day
2028-10-26 National Day
2028-11-01 All Saints' Day
2028-12-08 Immaculate Conception
2028-12-25 Christmas Day
2028-12-26 Saint Stephen's Day
2029-01-01 New Year's Day
2029-01-06 Epiphany
2029-04-02 Easter Monday
2029-05-01 Labor Day
2029-05-10 Ascension Day
2029-05-21 Pentecost Monday
2029-05-31 Corpus Christi
2029-08-15 Assumption Day
2029-10-26 National Day
2029-11-01 All Saints' Day
2029-12-08 Immaculate Conception
2029-12-25 Christmas Day
2029-12-26 Saint Stephen's Day
2030-01-01 New Year's Day
2030-01-06 Epiphany
2030-04-22 Easter Monday
2030-05-01 Labor Day
2030-05-30 Ascension Day
2030-06-10 Pentecost Monday
2030-06-20 Corpus Christi
2030-08-15 Assumption Day
2030-10-26 National Day
2030-11-01 All Saints' Day
2030-12-08 Immaculate Conception
2030-12-25 Christmas Day
2030-12-26 Saint Stephen's Day
2031-01-01 New Year's Day
2031-01-06 Epiphany
2031-04-14 Easter Monday
2031-05-01 Labor Day
2031-05-22 Ascension Day
2031-06-02 Pentecost Monday
2031-06-12 Corpus Christi
2031-08-15 Assumption Day
2031-10-26 National Day
2031-11-01 All Saints' Day
2031-12-08 Immaculate Conception
2031-12-25 Christmas Day
2031-12-26 Saint Stephen's Day
2032-01-01 New Year's Day
2032-01-06 Epiphany
2032-03-29 Easter Monday
2032-05-01 Labor Day
2032-05-06 Ascension Day
2032-05-17 Pentecost Monday
2032-05-27 Corpus Christi
2032-08-15 Assumption Day
2032-10-26 National Day
2032-11-01 All Saints' Day
2032-12-08 Immaculate Conception
2032-12-25 Christmas Day
2032-12-26 Saint Stephen's Day
2033-01-01 New Year's Day
2033-01-06 Epiphany
2033-04-18 Easter Monday
2033-05-01 Labor Day
2033-05-26 Ascension Day
2033-06-06 Pentecost Monday
2033-06-16 Corpus Christi
2033-08-15 Assumption Day
2033-10-26 National Day
2033-11-01 All Saints' Day
2033-12-08 Immaculate Conception
2033-12-25 Christmas Day
2033-12-26 Saint Stephen's Day
2034-01-01 New Year's Day
2034-01-06 Epiphany
2034-04-10 Easter Monday
2034-05-01 Labor Day
2034-05-18 Ascension Day
2034-05-29 Pentecost Monday
2034-06-08 Corpus Christi
2034-08-15 Assumption Day
2034-10-26 National Day
2034-11-01 All Saints' Day
2034-12-08 Immaculate Conception
2034-12-25 Christmas Day
2034-12-26 Saint Stephen's Day
2035-01-01 New Year's Day
2035-01-06 Epiphany
2035-03-26 Easter Monday
2035-05-01 Labor Day
2035-05-03 Ascension Day
2035-05-14 Pentecost Monday
2035-05-24 Corpus Christi
2035-08-15 Assumption Day
2035-10-26 National Day
2035-11-01 All Saints' Day
2035-12-08 Immaculate Conception
2035-12-25 Christmas Day
2035-12-26 Saint Stephen's Day
{%- endset -%}
    {%- do holidays.update({'AT': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-04-04 Easter Sunday
2010-04-05 Easter Monday
2010-05-01 Labor Day
2010-05-13 Ascension Day
2010-05-23 Pentecost
2010-05-24 Pentecost Monday
2010-07-21 National Day
2010-08-15 Assumption Day
2010-11-01 All Saints' Day
2010-11-11 Armistice Day
2010-12-25 Christmas Day
2011-01-01 New Year's Day
2011-04-24 Easter Sunday
2011-04-25 Easter Monday
2011-05-01 Labor Day
2011-06-02 Ascension Day
2011-06-12 Pentecost
2011-06-13 Pentecost Monday
2011-07-21 National Day
2011-08-15 Assumption Day
2011-11-01 All Saints' Day
2011-11-11 Armistice Day
2011-12-25 Christmas Day
2012-01-01 New Year's Day
2012-04-08 Easter Sunday
2012-04-09 Easter Monday
2012-05-01 Labor Day
2012-05-17 Ascension Day
2012-05-27 Pentecost
2012-05-28 Pentecost Monday
2012-07-21 National Day
2012-08-15 Assumption Day
2012-11-01 All Saints' Day
2012-11-11 Armistice Day
2012-12-25 Christmas Day
2013-01-01 New Year's Day
2013-03-31 Easter Sunday
2013-04-01 Easter Monday
2013-05-01 Labor Day
2013-05-09 Ascension Day
2013-05-19 Pentecost
2013-05-20 Pentecost Monday
2013-07-21 National Day
2013-08-15 Assumption Day
2013-11-01 All Saints' Day
2013-11-11 Armistice Day
2013-12-25 Christmas Day
2014-01-01 New Year's Day
2014-04-20 Easter Sunday
2014-04-21 Easter Monday
2014-05-01 Labor Day
2014-05-29 Ascension Day
2014-06-08 Pentecost
2014-06-09 Pentecost Monday
2014-07-21 National Day
2014-08-15 Assumption Day
2014-11-01 All Saints' Day
2014-11-11 Armistice Day
2014-12-25 Christmas Day
2015-01-01 New Year's Day
2015-04-05 Easter Sunday
2015-04-06 Easter Monday
2015-05-01 Labor Day
2015-05-14 Ascension Day
2015-05-24 Pentecost
2015-05-25 Pentecost Monday
2015-07-21 National Day
2015-08-15 Assumption Day
2015-11-01 All Saints' Day
2015-11-11 Armistice Day
2015-12-25 Christmas Day
2016-01-01 New Year's Day
2016-03-27 Easter Sunday
2016-03-28 Easter Monday
2016-05-01 Labor Day
2016-05-05 Ascension Day
2016-05-15 Pentecost
2016-05-16 Pentecost Monday
2016-07-21 National Day
2016-08-15 Assumption Day
2016-11-01 All Saints' Day
2016-11-11 Armistice Day
2016-12-25 Christmas Day
2017-01-01 New Year's Day
2017-04-16 Easter Sunday
2017-04-17 Easter Monday
2017-05-01 Labor Day
2017-05-25 Ascension Day
2017-06-04 Pentecost
2017-06-05 Pentecost Monday
2017-07-21 National Day
2017-08-15 Assumption Day
2017-11-01 All Saints' Day
2017-11-11 Armistice Day
2017-12-25 Christmas Day
2018-01-01 New Year's Day
2018-04-01 Easter Sunday
2018-04-02 Easter Monday
2018-05-01 Labor Day
2018-05-10 Ascension Day
2018-05-20 Pentecost
2018-05-21 Pentecost Monday
2018-07-21 National Day
2018-08-15 Assumption Day
2018-11-01 All Saints' Day
2018-11-11 Armistice Day
2018-12-25 Christmas Day
2019-01-01 New Year's Day
2019-04-21 Easter Sunday
2019-04-22 Easter Monday
2019-05-01 Labor Day
2019-05-30 Ascension Day
2019-06-09 Pentecost
2019-06-10 Pentecost Monday
2019-07-21 National Day
2019-08-15 Assumption Day
2019-11-01 All Saints' Day
2019-11-11 Armistice Day
2019-12-25 Christmas Day
2020-01-01 New Year's Day
2020-04-12 Easter Sunday
2020-04-13 Easter Monday
2020-05-01 Labor Day
2020-05-21 Ascension Day
2020-05-31 Pentecost
2020-06-01 Pentecost Monday
2020-07-21 National Day
2020-08-15 Assumption Day
2020-11-01 All Saints' Day
2020-11-11 Armistice Day
2020-12-25 Christmas Day
2021-01-01 New Year's Day
2021-04-04 Easter Sunday
2021-04-05 Easter Monday
2021-05-01 Labor Day
2021-05-13 Ascension Day
2021-05-23 Pentecost
2021-05-24 Pentecost Monday
2021-07-21 National Day
2021-08-15 Assumption Day
2021-11-01 All Saints' Day
2021-11-11 Armistice Day
2021-12-25 Christmas Day
2022-01-01 New Year's Day
2022-04-17 Easter Sunday
2022-04-18 Easter Monday
2022-05-01 Labor Day
2022-05-26 Ascension Day
2022-06-05 Pentecost
2022-06-06 Pentecost Monday
2022-07-21 National Day
2022-08-15 Assumption Day
2022-11-01 All Saints' Day
2022-11-11 Armistice Day
2022-12-25 Christmas Day
2023-01-01 New Year's Day
2023-04-09 Easter Sunday
2023-04-10 Easter Monday
2023-05-01 Labor Day
2023-05-18 Ascension Day
2023-05-28 Pentecost
2023-05-29 Pentecost Monday
2023-07-21 National Day
2023-08-15 Assumption Day
2023-11-01 All Saints' Day
2023-11-11 Armistice Day
2023-12-25 Christmas Day
2024-01-01 New Year's Day
2024-03-31 Easter Sunday
2024-04-01 Easter Monday
2024-05-01 Labor Day
2024-05-09 Ascension Day
2024-05-19 Pentecost
2024-05-20 Pentecost Monday
2024-07-21 National Day
2024-08-15 Assumption Day
2024-11-01 All Saints' Day
2024-11-11 Armistice Day
2024-12-25 Christmas Day
2025-01-01 New Year's Day
2025-04-20 Easter Sunday
2025-04-21 Easter Monday
2025-05-01 Labor Day
2025-05-29 Ascension Day
2025-06-08 Pentecost
2025-06-09 Pentecost Monday
2025-07-21 National Day
2025-08-15 Assumption Day
2025-11-01 All Saints' Day
2025-11-11 Armistice Day
2025-12-25 Christmas Day
2026-01-01 New Year's Day
2026-04-05 Easter Sunday
2026-04-06 Easter Monday
2026-05-01 Labor Day
2026-05-14 Ascension Day
2026-05-24 Pentecost
2026-05-25 Pentecost Monday
2026-07-21 National Day
2026-08-15 Assumption Day
2026-11-01 All Saints' Day
2026-11-11 Armistice Day
2026-12-25 Christmas Day
2027-01-01 New Year's Day
2027-03-28 Easter Sunday
2027-03-29 Easter Monday
2027-05-01 Labor Day
2027-05-06 Ascension Day
2027-05-16 Pentecost
2027-05-17 Pentecost Monday
2027-07-21 National Day
2027-08-15 Assumption Day
2027-11-01 All Saints' Day
2027-11-11 Armistice Day
2027-12-25 Christmas Day
2028-01-01 New Year's Day
2028-04-16 Easter Sunday
2028-04-17 Easter Monday
2028-05-01 Labor Day
2028-05-25 Ascension Day
2028-06-04 Pentecost
2028-06-05 Pentecost Monday
2028-07-21 National Day
2028-08-15 Assumption Day
2028-11-01 All Saints' Day
2028-11-11 Armistice Day
2028-12-25 Christmas Day
2029-01-01 New Year's Day
2029-04-01 Easter Sunday
2029-04-02 Easter Monday
2029-05-01 Labor Day
2029-05-10 Ascension Day
2029-05-20 Pentecost
2029-05-21 Pentecost Monday
2029-07-21 National Day
2029-08-15 Assumption Day
2029-11-01 All Saints' Day
2029-11-11 Armistice Day
2029-12-25 Christmas Day
2030-01-01 New Year's Day
2030-04-21 Easter Sunday
2030-04-22 Easter Monday
2030-05-01 Labor Day
2030-05-30 Ascension Day
2030-06-09 Pentecost
2030-06-10 Pentecost Monday
2030-07-21 National Day
2030-08-15 Assumption Day
2030-11-01 All Saints' Day
2030-11-11 Armistice Day
2030-12-25 Christmas Day
2031-01-01 New Year's Day
2031-04-13 Easter Sunday
2031-04-14 Easter Monday
2031-05-01 Labor Day
2031-05-22 Ascension Day
2031-06-01 Pentecost
2031-06-02 Pentecost Monday
2031-07-21 National Day
2031-08-15 Assumption Day
2031-11-01 All Saints' Day
2031-11-11 Armistice Day
2031-12-25 Christmas Day
2032-01-01 New Year's Day
2032-03-28 Easter Sunday
2032-03-29 Easter Monday
2032-05-01 Labor Day
2032-05-06 Ascension Day
2032-05-16 Pentecost
2032-05-17 Pentecost Monday
2032-07-21 National Day
2032-08-15 Assumption Day
2032-11-01 All Saints' Day
2032-11-11 Armistice Day
2032-12-25 Christmas Day
2033-01-01 New Year's Day
2033-04-17 Easter Sunday
2033-04-18 Easter Monday
2033-05-01 Labor Day
2033-05-26 Ascension Day
2033-06-05 Pentecost
2033-06-06 Pentecost Monday
2033-07-21 National Day
2033-08-15 Assumption Day
2033-11-01 All Saints' Day
2033-11-11 Armistice Day
2033-12-25 Christmas Day
2034-01-01 New Year's Day
2034-04-09 Easter Sunday
2034-04-10 Easter Monday
2034-05-01 Labor Day
2034-05-18 Ascension Day
2034-05-28 Pentecost
2034-05-29 Pentecost Monday
2034-07-21 National Day
2034-08-15 Assumption Day
2034-11-01 All Saints' Day
2034-11-11 Armistice Day
2034-12-25 Christmas Day
2035-01-01 New Year's Day
2035-03-25 Easter Sunday
2035-03-26 Easter Monday
2035-05-01 Labor Day
2035-05-03 Ascension Day
2035-05-13 Pentecost
2035-05-14 Pentecost Monday
2035-07-21 National Day
2035-08-15 Assumption Day
2035-11-01 All Saints' Day
2035-11-11 Armistice Day
2035-12-25 Christmas Day
{%- endset -%}
    {%- do holidays.update({'BE': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-04-02 Good Friday
2010-04-05 Easter Monday
2010-05-01 Labor Day
2010-05-13 Ascension Day
2010-05-24 Pentecost Monday
2010-10-03 German Unity Day
2010-12-25 Christmas Day
2010-12-26 Second Day of Christmas
2011-01-01 New Year's Day
2011-04-22 Good Friday
2011-04-25 Easter Monday
2011-05-01 Labor Day
2011-06-02 Ascension Day
2011-06-13 Pentecost Monday
2011-10-03 German Unity Day
2011-12-25 Christmas Day
2011-12-26 Second Day of Christmas
2012-01-01 New Year's Day
2012-04-06 Good Friday
2012-04-09 Easter Monday
2012-05-01 Labor Day
2012-05-17 Ascension Day
2012-05-28 Pentecost Monday
2012-10-03 German Unity Day
2012-12-25 Christmas Day
2012-12-26 Second Day of Christmas
2013-01-01 New Year's Day
2013-03-29 Good Friday
2013-04-01 Easter Monday
2013-05-01 Labor Day
2013-05-09 Ascension Day
2013-05-20 Pentecost Monday
2013-10-03 German Unity Day
2013-12-25 Christmas Day
2013-12-26 Second Day of Christmas
2014-01-01 New Year's Day
2014-04-18 Good Friday
2014-04-21 Easter Monday
2014-05-01 Labor Day
2014-05-29 Ascension Day
2014-06-09 Pentecost Monday
2014-10-03 German Unity Day
2014-12-25 Christmas Day
2014-12-26 Second Day of Christmas
2015-01-01 New Year's Day
2015-04-03 Good Friday
2015-04-06 Easter Monday
2015-05-01 Labor Day
2015-05-14 Ascension Day
2015-05-25 Pentecost Monday
2015-10-03 German Unity Day
2015-12-25 Christmas Day
2015-12-26 Second Day of Christmas
2016-01-01 New Year's Day
2016-03-25 Good Friday
2016-03-28 Easter Monday
2016-05-01 Labor Day
2016-05-05 Ascension Day
2016-05-16 Pentecost Monday
2016-10-03 German Unity Day
2016-12-25 Christmas Day
2016-12-26 Second Day of Christmas
2017-01-01 New Year's Day
2017-04-14 Good Friday
2017-04-17 Easter Monday
2017-05-01 Labor Day
2017-05-25 Ascension Day
2017-06-05 Pentecost Monday
2017-10-03 German Unity Day
2017-10-31 Reformation Day
2017-12-25 Christmas Day
2017-12-26 Second Day of Christmas
2018-01-01 New Year's Day
2018-03-30 Good Friday
2018-04-02 Easter Monday
2018-05-01 Labor Day
2018-05-10 Ascension Day
2018-05-21 Pentecost Monday
2018-10-03 German Unity Day
2018-12-25 Christmas Day
2018-12-26 Second Day of Christmas
2019-01-01 New Year's Day
2019-04-19 Good Friday
2019-04-22 Easter Monday
2019-05-01 Labor Day
2019-05-30 Ascension Day
2019-06-10 Pentecost Monday
2019-10-03 German Unity Day
2019-12-25 Christmas Day
2019-12-26 Second Day of Christmas
2020-01-01 New Year's Day
2020-04-10 Good Friday
2020-04-13 Easter Monday
2020-05-01 Labor Day
2020-05-21 Ascension Day
2020-06-01 Pentecost Monday
2020-10-03 German Unity Day
2020-12-25 Christmas Day
2020-12-26 Second Day of Christmas
2021-01-01 New Year's Day
2021-04-02 Good Friday
2021-04-05 Easter Monday
2021-05-01 Labor Day
2021-05-13 Ascension Day
2021-05-24 Pentecost Monday
2021-10-03 German Unity Day
2021-12-25 Christmas Day
2021-12-26 Second Day of Christmas
2022-01-01 New Year's Day
2022-04-15 Good Friday
2022-04-18 Easter Monday
2022-05-01 Labor Day
2022-05-26 Ascension Day
2022-06-06 Pentecost Monday
2022-10-03 German Unity Day
2022-12-25 Christmas Day
2022-12-26 Second Day of Christmas
2023-01-01 New Year's Day
2023-04-07 Good Friday
2023-04-10 Easter Monday
2023-05-01 Labor Day
2023-05-18 Ascension Day
2023-05-29 Pentecost Monday
2023-10-03 German Unity Day
2023-12-25 Christmas Day
2023-12-26 Second Day of Christmas
2024-01-01 New Year's Day
2024-03-29 Good Friday
2024-04-01 Easter Monday
2024-05-01 Labor Day
2024-05-09 Ascension Day
2024-05-20 Pentecost Monday
2024-10-03 German Unity Day
2024-12-25 Christmas Day
2024-12-26 Second Day of Christmas
2025-01-01 New Year's Day
2025-04-18 Good Friday
2025-04-21 Easter Monday
2025-05-01 Labor Day
2025-05-29 Ascension Day
2025-06-09 Pentecost Monday
2025-10-03 German Unity Day
2025-12-25 Christmas Day
2025-12-26 Second Day of Christmas
2026-01-01 New Year's Day
2026-04-03 Good Friday
2026-04-06 Easter Monday
2026-05-01 Labor Day
2026-05-14 Ascension Day
2026-05-25 Pentecost Monday
2026-10-03 German Unity Day
2026-12-25 Christmas Day
2026-12-26 Second Day of Christmas
2027-01-01 New Year's Day
2027-03-26 Good Friday
2027-03-29 Easter Monday
2027-05-01 Labor Day
2027-05-06 Ascension Day
2027-05-17 Pentecost Monday
2027-10-03 German Unity Day
2027-12-25 Christmas Day
2027-12-26 Second Day of Christmas
2028-01-01 New Year's Day
2028-04-14 Good Friday
2028-04-17 Easter Monday
2028-05-01 Labor Day
2028-05-25 Ascension Day
2028-06-05 Pentecost Monday
2028-10-03 German Unity Day
2028-12-25 Christmas Day
2028-12-26 Second Day of Christmas
2029-01-01 New Year's Day
2029-03-30 Good Friday
2029-04-02 Easter Monday
2029-05-01 Labor Day
2029-05-10 Ascension Day
2029-05-21 Pentecost Monday
2029-10-03 German Unity Day
2029-12-25 Christmas Day
2029-12-26 Second Day of Christmas
2030-01-01 New Year's Day
2030-04-19 Good Friday
2030-04-22 Easter Monday
2030-05-01 Labor Day
2030-05-30 Ascension Day
2030-06-10 Pentecost Monday
2030-10-03 German Unity Day
2030-12-25 Christmas Day
2030-12-26 Second Day of Christmas
2031-01-01 New Year's Day
2031-04-11 Good Friday
2031-04-14 Easter Monday
2031-05-01 Labor Day
2031-05-22 Ascension Day
2031-06-02 Pentecost Monday
2031-10-03 German Unity Day
2031-12-25 Christmas Day
2031-12-26 Second Day of Christmas
2032-01-01 New Year's Day
2032-03-26 Good Friday
2032-03-29 Easter Monday
2032-05-01 Labor Day
2032-05-06 Ascension Day
2032-05-17 Pentecost Monday
2032-10-03 German Unity Day
2032-12-25 Christmas Day
2032-12-26 Second Day of Christmas
2033-01-01 New Year's Day
2033-04-15 Good Friday
2033-04-18 Easter Monday
2033-05-01 Labor Day
2033-05-26 Ascension Day
2033-06-06 Pentecost Monday
2033-10-03 German Unity Day
2033-12-25 Christmas Day
2033-12-26 Second Day of Christmas
2034-01-01 New Year's Day
2034-04-07 Good Friday
2034-04-10 Easter Monday
2034-05-01 Labor Day
2034-05-18 Ascension Day
2034-05-29 Pentecost Monday
2034-10-03 German Unity Day
2034-12-25 Christmas Day
2034-12-26 Second Day of Christmas
2035-01-01 New Year's Day
2035-03-23 Good Friday
2035-03-26 Easter Monday
2035-05-01 Labor Day
2035-05-03 Ascension Day
2035-05-14 Pentecost Monday
2035-10-03 German Unity Day
2035-12-25 Christmas Day
2035-12-26 Second Day of Christmas
{%- endset -%}
    {%- do holidays.update({'DE': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-01-06 Epiphany
2010-04-02 Good Friday
2010-05-01 Labor Day
2010-10-12 National Day
2010-11-01 All Saints' Day
2010-12-06 Constitution Day
2010-12-08 Immaculate Conception
2010-12-25 Christmas Day
2011-01-01 New Year's Day
2011-01-06 Epiphany
2011-04-22 Good Friday
2011-08-15 Assumption Day
2011-10-12 National Day
2011-11-01 All Saints' Day
2011-12-06 Constitution Day
2011-12-08 Immaculate Conception
2012-01-06 Epiphany
2012-04-06 Good Friday
2012-05-01 Labor Day
2012-08-15 Assumption Day
2012-10-12 National Day
2012-11-01 All Saints' Day
2012-12-06 Constitution Day
2012-12-08 Immaculate Conception
2012-12-25 Christmas Day
2013-01-01 New Year's Day
2013-03-29 Good Friday
2013-05-01 Labor Day
2013-08-15 Assumption Day
2013-10-12 National Day
2013-11-01 All Saints' Day
2013-12-06 Constitution Day
2013-12-25 Christmas Day
2014-01-01 New Year's Day
2014-01-06 Epiphany
2014-04-18 Good Friday
2014-05-01 Labor Day
2014-08-15 Assumption Day
2014-11-01 All Saints' Day
2014-12-06 Constitution Day
2014-12-08 Immaculate Conception
2014-12-25 Christmas Day
2015-01-01 New Year's Day
2015-01-06 Epiphany
2015-04-03 Good Friday
2015-05-01 Labor Day
2015-08-15 Assumption Day
2015-10-12 National Day
2015-12-08 Immaculate Conception
2015-12-25 Christmas Day
2016-01-01 New Year's Day
2016-01-06 Epiphany
2016-03-25 Good Friday
2016-08-15 Assumption Day
2016-10-12 National Day
2016-11-01 All Saints' Day
2016-12-06 Constitution Day
2016-12-08 Immaculate Conception
2017-01-06 Epiphany
2017-04-14 Good Friday
2017-05-01 Labor Day
2017-08-15 Assumption Day
2017-10-12 National Day
2017-11-01 All Saints' Day
2017-12-06 Constitution Day
2017-12-08 Immaculate Conception
2017-12-25 Christmas Day
2018-01-01 New Year's Day
2018-01-06 Epiphany
2018-03-30 Good Friday
2018-05-01 Labor Day
2018-08-15 Assumption Day
2018-10-12 National Day
2018-11-01 All Saints' Day
2018-12-06 Constitution Day
2018-12-08 Immaculate Conception
2018-12-25 Christmas Day
2019-01-01 New Year's Day
2019-04-19 Good Friday
2019-05-01 Labor Day
2019-08-15 Assumption Day
2019-10-12 National Day
2019-11-01 All Saints' Day
2019-12-06 Constitution Day
2019-12-25 Christmas Day
2020-01-01 New Year's Day
2020-01-06 Epiphany
2020-04-10 Good Friday
2020-05-01 Labor Day
2020-08-15 Assumption Day
2020-10-12 National Day
2020-12-08 Immaculate Conception
2020-12-25 Christmas Day
2021-01-01 New Year's Day
2021-01-06 Epiphany
2021-04-02 Good Friday
2021-05-01 Labor Day
2021-10-12 National Day
2021-11-01 All Saints' Day
2021-12-06 Constitution Day
2021-12-08 Immaculate Conception
2021-12-25 Christmas Day
2022-01-01 New Year's Day
2022-01-06 Epiphany
2022-04-15 Good Friday
2022-08-15 Assumption Day
2022-10-12 National Day
2022-11-01 All Saints' Day
2022-12-06 Constitution Day
2022-12-08 Immaculate Conception
2023-01-06 Epiphany
2023-04-07 Good Friday
2023-05-01 Labor Day
2023-08-15 Assumption Day
2023-10-12 National Day
2023-11-01 All Saints' Day
2023-12-06 Constitution Day
2023-12-08 Immaculate Conception
2023-12-25 Christmas Day
2024-01-01 New Year's Day
2024-01-06 Epiphany
2024-03-29 Good Friday
2024-05-01 Labor Day
2024-08-15 Assumption Day
2024-10-12 National Day
2024-11-01 All Saints' Day
2024-12-06 Constitution Day
2024-12-25 Christmas Day
2025-01-01 New Year's Day
2025-01-06 Epiphany
2025-04-18 Good Friday
2025-05-01 Labor Day
2025-08-15 Assumption Day
2025-11-01 All Saints' Day
2025-12-06 Constitution Day
2025-12-08 Immaculate Conception
2025-12-25 Christmas Day
2026-01-01 New Year's Day
2026-01-06 Epiphany
2026-04-03 Good Friday
2026-05-01 Labor Day
2026-08-15 Assumption Day
2026-10-12 National Day
2026-12-08 Immaculate Conception
2026-12-25 Christmas Day
2027-01-01 New Year's Day
2027-01-06 Epiphany
2027-03-26 Good Friday
2027-05-01 Labor Day
2027-10-12 National Day
2027-11-01 All Saints' Day
2027-12-06 Constitution Day
2027-12-08 Immaculate Conception
2027-12-25 Christmas Day
2028-01-01 New Year's Day
2028-01-06 Epiphany
2028-04-14 Good Friday
2028-05-01 Labor Day
2028-08-15 Assumption Day
2028-10-12 National Day
2028-11-01 All Saints' Day
2028-12-06 Constitution Day
2028-12-08 Immaculate Conception
2028-12-25 Christmas Day
2029-01-01 New Year's Day
2029-01-06 Epiphany
2029-03-30 Good Friday
2029-05-01 Labor Day
2029-08-15 Assumption Day
2029-10-12 National Day
2029-11-01 All Saints' Day
2029-12-06 Constitution Day
2029-12-08 Immaculate Conception
2029-12-25 Christmas Day
2030-01-01 New Year's Day
2030-04-19 Good Friday
2030-05-01 Labor Day
2030-08-15 Assumption Day
2030-10-12 National Day
2030-11-01 All Saints' Day
2030-12-06 Constitution Day
2030-12-25 Christmas Day
2031-01-01 New Year's Day
2031-01-06 Epiphany
2031-04-11 Good Friday
2031-05-01 Labor Day
2031-08-15 Assumption Day
2031-11-01 All Saints' Day
2031-12-06 Constitution Day
2031-12-08 Immaculate Conception
2031-12-25 Christmas Day
2032-01-01 New Year's Day
2032-01-06 Epiphany
2032-03-26 Good Friday
2032-05-01 Labor Day
2032-10-12 National Day
2032-11-01 All Saints' Day
2032-12-06 Constitution Day
2032-12-08 Immaculate Conception
2032-12-25 Christmas Day
2033-01-01 New Year's Day
2033-01-06 Epiphany
2033-04-15 Good Friday
2033-08-15 Assumption Day
2033-10-12 National Day
2033-11-01 All Saints' Day
2033-12-06 Constitution Day
2033-12-08 Immaculate Conception
2034-01-06 Epiphany
2034-04-07 Good Friday
2034-05-01 Labor Day
2034-08-15 Assumption Day
2034-10-12 National Day
2034-11-01 All Saints' Day
2034-12-06 Constitution Day
2034-12-08 Immaculate Conception
2034-12-25 Christmas Day
2035-01-01 New Year's Day
2035-01-06 Epiphany
2035-03-23 Good Friday
2035-05-01 Labor Day
2035-08-15 Assumption Day
2035-10-12 National Day
2035-11-01 All Saints' Day
2035-12-06 Constitution Day
2035-12-08 Immaculate Conception
2035-12-25 Christmas Day
{%- endset -%}
    {%- do holidays.update({'ES': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-04-05 Easter Monday
2010-05-01 Labor Day
2010-05-08 Victory Day
2010-05-13 Ascension Day
2010-05-24 Pentecost Monday
2010-07-14 National Day
2010-08-15 Assumption Day
2010-11-01 All Saints' Day
2010-11-11 Armistice Day
2010-12-25 Christmas Day
2011-01-01 New Year's Day
2011-04-25 Easter Monday
2011-05-01 Labor Day
2011-05-08 Victory Day
2011-06-02 Ascension Day
2011-06-13 Pentecost Monday
2011-07-14 National Day
2011-08-15 Assumption Day
2011-11-01 All Saints' Day
2011-11-11 Armistice Day
2011-12-25 Christmas Day
2012-01-01 New Year's Day
2012-04-09 Easter Monday
2012-05-01 Labor Day
2012-05-08 Victory Day
2012-05-17 Ascension Day
2012-05-28 Pentecost Monday
2012-07-14 National Day
2012-08-15 Assumption Day
2012-11-01 All Saints' Day
2012-11-11 Armistice Day
2012-12-25 Christmas Day
2013-01-01 New Year's Day
2013-04-01 Easter Monday
2013-05-01 Labor Day
2013-05-08 Victory Day
2013-05-09 Ascension Day
2013-05-20 Pentecost Monday
2013-07-14 National Day
2013-08-15 Assumption Day
2013-11-01 All Saints' Day
2013-11-11 Armistice Day
2013-12-25 Christmas Day
2014-01-01 New Year's Day
2014-04-21 Easter Monday
2014-05-01 Labor Day
2014-05-08 Victory Day
2014-05-29 Ascension Day
2014-06-09 Pentecost Monday
2014-07-14 National Day
2014-08-15 Assumption Day
2014-11-01 All Saints' Day
2014-11-11 Armistice Day
2014-12-25 Christmas Day
2015-01-01 New Year's Day
2015-04-06 Easter Monday
2015-05-01 Labor Day
2015-05-08 Victory Day
2015-05-14 Ascension Day
2015-05-25 Pentecost Monday
2015-07-14 National Day
2015-08-15 Assumption Day
2015-11-01 All Saints' Day
2015-11-11 Armistice Day
2015-12-25 Christmas Day
2016-01-01 New Year's Day
2016-03-28 Easter Monday
2016-05-01 Labor Day
2016-05-05 Ascension Day
2016-05-08 Victory Day
2016-05-16 Pentecost Monday
2016-07-14 National Day
2016-08-15 Assumption Day
2016-11-01 All Saints' Day
2016-11-11 Armistice Day
2016-12-25 Christmas Day
2017-01-01 New Year's Day
2017-04-17 Easter Monday
2017-05-01 Labor Day
2017-05-08 Victory Day
2017-05-25 Ascension Day
2017-06-05 Pentecost Monday
2017-07-14 National Day
2017-08-15 Assumption Day
2017-11-01 All Saints' Day
2017-11-11 Armistice Day
2017-12-25 Christmas Day
2018-01-01 New Year's Day
2018-04-02 Easter Monday
2018-05-01 Labor Day
2018-05-08 Victory Day
2018-05-10 Ascension Day
2018-05-21 Pentecost Monday
2018-07-14 National Day
2018-08-15 Assumption Day
2018-11-01 All Saints' Day
2018-11-11 Armistice Day
2018-12-25 Christmas Day
2019-01-01 New Year's Day
2019-04-22 Easter Monday
2019-05-01 Labor Day
2019-05-08 Victory Day
2019-05-30 Ascension Day
2019-06-10 Pentecost Monday
2019-07-14 National Day
2019-08-15 Assumption Day
2019-11-01 All Saints' Day
2019-11-11 Armistice Day
2019-12-25 Christmas Day
2020-01-01 New Year's Day
2020-04-13 Easter Monday
2020-05-01 Labor Day
2020-05-08 Victory Day
2020-05-21 Ascension Day
2020-06-01 Pentecost Monday
2020-07-14 National Day
2020-08-15 Assumption Day
2020-11-01 All Saints' Day
2020-11-11 Armistice Day
2020-12-25 Christmas Day
2021-01-01 New Year's Day
2021-04-05 Easter Monday
2021-05-01 Labor Day
2021-05-08 Victory Day
2021-05-13 Ascension Day
2021-05-24 Pentecost Monday
2021-07-14 National Day
2021-08-15 Assumption Day
2021-11-01 All Saints' Day
2021-11-11 Armistice Day
2021-12-25 Christmas Day
2022-01-01 New Year's Day
2022-04-18 Easter Monday
2022-05-01 Labor Day
2022-05-08 Victory Day
2022-05-26 Ascension Day
2022-06-06 Pentecost Monday
2022-07-14 National Day
2022-08-15 Assumption Day
2022-11-01 All Saints' Day
2022-11-11 Armistice Day
2022-12-25 Christmas Day
2023-01-01 New Year's Day
2023-04-10 Easter Monday
2023-05-01 Labor Day
2023-05-08 Victory Day
2023-05-18 Ascension Day
2023-05-29 Pentecost Monday
2023-07-14 National Day
2023-08-15 Assumption Day
2023-11-01 All Saints' Day
2023-11-11 Armistice Day
2023-12-25 Christmas Day
2024-01-01 New Year's Day
2024-04-01 Easter Monday
2024-05-01 Labor Day
2024-05-08 Victory Day
2024-05-09 Ascension Day
2024-05-20 Pentecost Monday
2024-07-14 National Day
2024-08-15 Assumption Day
2024-11-01 All Saints' Day
2024-11-11 Armistice Day
2024-12-25 Christmas Day
2025-01-01 New Year's Day
2025-04-21 Easter Monday
2025-05-01 Labor Day
2025-05-08 Victory Day
2025-05-29 Ascension Day
2025-06-09 Pentecost Monday
2025-07-14 National Day
2025-08-15 Assumption Day
2025-11-01 All Saints' Day
2025-11-11 Armistice Day
2025-12-25 Christmas Day
2026-01-01 New Year's Day
2026-04-06 Easter Monday
2026-05-01 Labor Day
2026-05-08 Victory Day
2026-05-14 Ascension Day
2026-05-25 Pentecost Monday
2026-07-14 National Day
2026-08-15 Assumption Day
2026-11-01 All Saints' Day
2026-11-11 Armistice Day
2026-12-25 Christmas Day
2027-01-01 New Year's Day
2027-03-29 Easter Monday
2027-05-01 Labor Day
2027-05-06 Ascension Day
2027-05-08 Victory Day
2027-05-17 Pentecost Monday
2027-07-14 National Day
2027-08-15 Assumption Day
2027-11-01 All Saints' Day
2027-11-11 Armistice Day
2027-12-25 Christmas Day
2028-01-01 New Year's Day
2028-04-17 Easter Monday
2028-05-01 Labor Day
2028-05-08 Victory Day
2028-05-25 Ascension Day
2028-06-05 Pentecost Monday
2028-07-14 National Day
2028-08-15 Assumption Day
2028-11-01 All Saints' Day
2028-11-11 Armistice Day
2028-12-25 Christmas Day
2029-01-01 New Year's Day
2029-04-02 Easter Monday
2029-05-01 Labor Day
2029-05-08 Victory Day
2029-05-10 Ascension Day
2029-05-21 Pentecost Monday
2029-07-14 National Day
2029-08-15 Assumption Day
2029-11-01 All Saints' Day
2029-11-11 Armistice Day
2029-12-25 Christmas Day
2030-01-01 New Year's Day
2030-04-22 Easter Monday
2030-05-01 Labor Day
2030-05-08 Victory Day
2030-05-30 Ascension Day
2030-06-10 Pentecost Monday
2030-07-14 National Day
2030-08-15 Assumption Day
2030-11-01 All Saints' Day
2030-11-11 Armistice Day
2030-12-25 Christmas Day
2031-01-01 New Year's Day
2031-04-14 Easter Monday
2031-05-01 Labor Day
2031-05-08 Victory Day
2031-05-22 Ascension Day
2031-06-02 Pentecost Monday
2031-07-14 National Day
2031-08-15 Assumption Day
2031-11-01 All Saints' Day
2031-11-11 Armistice Day
2031-12-25 Christmas Day
2032-01-01 New Year's Day
2032-03-29 Easter Monday
2032-05-01 Labor Day
2032-05-06 Ascension Day
2032-05-08 Victory Day
2032-05-17 Pentecost Monday
2032-07-14 National Day
2032-08-15 Assumption Day
2032-11-01 All Saints' Day
2032-11-11 Armistice Day
2032-12-25 Christmas Day
2033-01-01 New Year's Day
2033-04-18 Easter Monday
2033-05-01 Labor Day
2033-05-08 Victory Day
2033-05-26 Ascension Day
2033-06-06 Pentecost Monday
2033-07-14 National Day
2033-08-15 Assumption Day
2033-11-01 All Saints' Day
2033-11-11 Armistice Day
2033-12-25 Christmas Day
2034-01-01 New Year's Day
2034-04-10 Easter Monday
2034-05-01 Labor Day
2034-05-08 Victory Day
2034-05-18 Ascension Day
2034-05-29 Pentecost Monday
2034-07-14 National Day
2034-08-15 Assumption Day
2034-11-01 All Saints' Day
2034-11-11 Armistice Day
2034-12-25 Christmas Day
2035-01-01 New Year's Day
2035-03-26 Easter Monday
2035-05-01 Labor Day
2035-05-03 Ascension Day
2035-05-08 Victory Day
2035-05-14 Pentecost Monday
2035-07-14 National Day
2035-08-15 Assumption Day
2035-11-01 All Saints' Day
2035-11-11 Armistice Day
2035-12-25 Christmas Day
{%- endset -%}
    {%- do holidays.update({'FR': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-04-02 Good Friday
2010-04-05 Easter Monday
2010-05-03 May Day
2010-05-31 Spring Bank Holiday
2010-08-30 Late Summer Bank Holiday
2010-12-25 Christmas Day
2010-12-26 Boxing Day
2010-12-27 Christmas Day (observed)
2010-12-28 Boxing Day (observed)
2011-01-01 New Year's Day
2011-01-03 New Year's Day (observed)
2011-04-22 Good Friday
2011-04-25 Easter Monday
2011-04-29 Wedding of William and Catherine
2011-05-02 May Day
2011-05-30 Spring Bank Holiday
2011-08-29 Late Summer Bank Holiday
2011-12-25 Christmas Day
2011-12-26 Boxing Day
2011-12-27 Christmas Day (observed)
2012-01-01 New Year's Day
2012-01-02 New Year's Day (observed)
2012-04-06 Good Friday
2012-04-09 Easter Monday
2012-05-07 May Day
2012-06-04 Spring Bank Holiday
2012-06-05 Diamond Jubilee of Elizabeth II
2012-08-27 Late Summer Bank Holiday
2012-12-25 Christmas Day
2012-12-26 Boxing Day
2013-01-01 New Year's Day
2013-03-29 Good Friday
2013-04-01 Easter Monday
2013-05-06 May Day
2013-05-27 Spring Bank Holiday
2013-08-26 Late Summer Bank Holiday
2013-12-25 Christmas Day
2013-12-26 Boxing Day
2014-01-01 New Year's Day
2014-04-18 Good Friday
2014-04-21 Easter Monday
2014-05-05 May Day
2014-05-26 Spring Bank Holiday
2014-08-25 Late Summer Bank Holiday
2014-12-25 Christmas Day
2014-12-26 Boxing Day
2015-01-01 New Year's Day
2015-04-03 Good Friday
2015-04-06 Easter Monday
2015-05-04 May Day
2015-05-25 Spring Bank Holiday
2015-08-31 Late Summer Bank Holiday
2015-12-25 Christmas Day
2015-12-26 Boxing Day
2015-12-28 Boxing Day (observed)
2016-01-01 New Year's Day
2016-03-25 Good Friday
2016-03-28 Easter Monday
2016-05-02 May Day
2016-05-30 Spring Bank Holiday
2016-08-29 Late Summer Bank Holiday
2016-12-25 Christmas Day
2016-12-26 Boxing Day
2016-12-27 Christmas Day (observed)
2017-01-01 New Year's Day
2017-01-02 New Year's Day (observed)
2017-04-14 Good Friday
2017-04-17 Easter Monday
2017-05-01 May Day
2017-05-29 Spring Bank Holiday
2017-08-28 Late Summer Bank Holiday
2017-12-25 Christmas Day
2017-12-26 Boxing Day
2018-01-01 New Year's Day
2018-03-30 Good Friday
2018-04-02 Easter Monday
2018-05-07 May Day
2018-05-28 Spring Bank Holiday
2018-08-27 Late Summer Bank Holiday
2018-12-25 Christmas Day
2018-12-26 Boxing Day
2019-01-01 New Year's Day
2019-04-19 Good Friday
2019-04-22 Easter Monday
2019-05-06 May Day
2019-05-27 Spring Bank Holiday
2019-08-26 Late Summer Bank Holiday
2019-12-25 Christmas Day
2019-12-26 Boxing Day
2020-01-01 New Year's Day
2020-04-10 Good Friday
2020-04-13 Easter Monday
2020-05-08 May Day
2020-05-25 Spring Bank Holiday
2020-08-31 Late Summer Bank Holiday
2020-12-25 Christmas Day
2020-12-26 Boxing Day
2020-12-28 Boxing Day (observed)
2021-01-01 New Year's Day
2021-04-02 Good Friday
2021-04-05 Easter Monday
2021-05-03 May Day
2021-05-31 Spring Bank Holiday
2021-08-30 Late Summer Bank Holiday
2021-12-25 Christmas Day
2021-12-26 Boxing Day
2021-12-27 Christmas Day (observed)
2021-12-28 Boxing Day (observed)
2022-01-01 New Year's Day
2022-01-03 New Year's Day (observed)
2022-04-15 Good Friday
2022-04-18 Easter Monday
2022-05-02 May Day
2022-06-02 Spring Bank Holiday
2022-06-03 Platinum Jubilee of Elizabeth II
2022-08-29 Late Summer Bank Holiday
2022-09-19 State Funeral of Queen Elizabeth II
2022-12-25 Christmas Day
2022-12-26 Boxing Day
2022-12-27 Christmas Day (observed)
2023-01-01 New Year's Day
2023-01-02 New Year's Day (observed)
2023-04-07 Good Friday
2023-04-10 Easter Monday
2023-05-01 May Day
2023-05-08 Coronation of Charles III
2023-05-29 Spring Bank Holiday
2023-08-28 Late Summer Bank Holiday
2023-12-25 Christmas Day
2023-12-26 Boxing Day
2024-01-01 New Year's Day
2024-03-29 Good Friday
2024-04-01 Easter Monday
2024-05-06 May Day
2024-05-27 Spring Bank Holiday
2024-08-26 Late Summer Bank Holiday
2024-12-25 Christmas Day
2024-12-26 Boxing Day
2025-01-01 New Year's Day
2025-04-18 Good Friday
2025-04-21 Easter Monday
2025-05-05 May Day
2025-05-26 Spring Bank Holiday
2025-08-25 Late Summer Bank Holiday
2025-12-25 Christmas Day
2025-12-26 Boxing Day
2026-01-01 New Year's Day
2026-04-03 Good Friday
2026-04-06 Easter Monday
2026-05-04 May Day
2026-05-25 Spring Bank Holiday
2026-08-31 Late Summer Bank Holiday
2026-12-25 Christmas Day
2026-12-26 Boxing Day
2026-12-28 Boxing Day (observed)
2027-01-01 New Year's Day
2027-03-26 Good Friday
2027-03-29 Easter Monday
2027-05-03 May Day
2027-05-31 Spring Bank Holiday
2027-08-30 Late Summer Bank Holiday
2027-12-25 Christmas Day
2027-12-26 Boxing Day
2027-12-27 Christmas Day (observed)
2027-12-28 Boxing Day (observed)
2028-01-01 New Year's Day
2028-01-03 New Year's Day (observed)
2028-04-14 Good Friday
2028-04-17 Easter Monday
2028-05-01 May Day
2028-05-29 Spring Bank Holiday
2028-08-28 Late Summer Bank Holiday
2028-12-25 Christmas Day
2028-12-26 Boxing Day
2029-01-01 New Year's Day
2029-03-30 Good Friday
2029-04-02 Easter Monday
2029-05-07 May Day
2029-05-28 Spring Bank Holiday
2029-08-27 Late Summer Bank Holiday
2029-12-25 Christmas Day
2029-12-26 Boxing Day
2030-01-01 New Year's Day
2030-04-19 Good Friday
2030-04-22 Easter Monday
2030-05-06 May Day
2030-05-27 Spring Bank Holiday
2030-08-26 Late Summer Bank Holiday
2030-12-25 Christmas Day
2030-12-26 Boxing Day
2031-01-01 New Year's Day
2031-04-11 Good Friday
2031-04-14 Easter Monday
2031-05-05 May Day
2031-05-26 Spring Bank Holiday
2031-08-25 Late Summer Bank Holiday
2031-12-25 Christmas Day
2031-12-26 Boxing Day
2032-01-01 New Year's Day
2032-03-26 Good Friday
2032-03-29 Easter Monday
2032-05-03 May Day
2032-05-31 Spring Bank Holiday
2032-08-30 Late Summer Bank Holiday
2032-12-25 Christmas Day
2032-12-26 Boxing Day
2032-12-27 Christmas Day (observed)
2032-12-28 Boxing Day (observed)
2033-01-01 New Year's Day
2033-01-03 New Year's Day (observed)
2033-04-15 Good Friday
2033-04-18 Easter Monday
2033-05-02 May Day
2033-05-30 Spring Bank Holiday
2033-08-29 Late Summer Bank Holiday
2033-12-25 Christmas Day
2033-12-26 Boxing Day
2033-12-27 Christmas Day (observed)
2034-01-01 New Year's Day
2034-01-02 New Year's Day (observed)
2034-04-07 Good Friday
2034-04-10 Easter Monday
2034-05-01 May Day
2034-05-29 Spring Bank Holiday
2034-08-28 Late Summer Bank Holiday
2034-12-25 Christmas Day
2034-12-26 Boxing Day
2035-01-01 New Year's Day
2035-03-23 Good Friday
2035-03-26 Easter Monday
2035-05-07 May Day
2035-05-28 Spring Bank Holiday
2035-08-27 Late Summer Bank Holiday
2035-12-25 Christmas Day
2035-12-26 Boxing Day
{%- endset -%}
    {%- do holidays.update({'GB': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-03-17 Saint Patrick's Day
2010-04-05 Easter Monday
2010-05-03 May Bank Holiday
2010-06-07 June Bank Holiday
2010-08-02 August Bank Holiday
2010-10-25 October Bank Holiday
2010-12-25 Christmas Day
2010-12-26 Saint Stephen's Day
2011-01-01 New Year's Day
2011-03-17 Saint Patrick's Day
2011-04-25 Easter Monday
2011-05-02 May Bank Holiday
2011-06-06 June Bank Holiday
2011-08-01 August Bank Holiday
2011-09-14 National Day of Mourning
2011-10-31 October Bank Holiday
2011-12-25 Christmas Day
2011-12-26 Saint Stephen's Day
2012-01-01 New Year's Day
2012-03-17 Saint Patrick's Day
2012-04-09 Easter Monday
2012-05-07 May Bank Holiday
2012-06-04 June Bank Holiday
2012-08-06 August Bank Holiday
2012-10-29 October Bank Holiday
2012-12-25 Christmas Day
2012-12-26 Saint Stephen's Day
2013-01-01 New Year's Day
2013-03-17 Saint Patrick's Day
2013-04-01 Easter Monday
2013-05-06 May Bank Holiday
2013-06-03 June Bank Holiday
2013-08-05 August Bank Holiday
2013-10-28 October Bank Holiday
2013-12-25 Christmas Day
2013-12-26 Saint Stephen's Day
2014-01-01 New Year's Day
2014-03-17 Saint Patrick's Day
2014-04-21 Easter Monday
2014-05-05 May Bank Holiday
2014-06-02 June Bank Holiday
2014-08-04 August Bank Holiday
2014-10-27 October Bank Holiday
2014-12-25 Christmas Day
2014-12-26 Saint Stephen's Day
2015-01-01 New Year's Day
2015-03-17 Saint Patrick's Day
2015-04-06 Easter Monday
2015-05-04 May Bank Holiday
2015-06-01 June Bank Holiday
2015-08-03 August Bank Holiday
2015-10-26 October Bank Holiday
2015-12-25 Christmas Day
2015-12-26 Saint Stephen's Day
2016-01-01 New Year's Day
2016-03-17 Saint Patrick's Day
2016-03-28 Easter Monday
2016-05-02 May Bank Holiday
2016-06-06 June Bank Holiday
2016-08-01 August Bank Holiday
2016-10-31 October Bank Holiday
2016-12-25 Christmas Day
2016-12-26 Saint Stephen's Day
2017-01-01 New Year's Day
2017-03-17 Saint Patrick's Day
2017-04-17 Easter Monday
2017-05-01 May Bank Holiday
2017-06-05 June Bank Holiday
2017-08-07 August Bank Holiday
2017-10-30 October Bank Holiday
2017-12-25 Christmas Day
2017-12-26 Saint Stephen's Day
2018-01-01 New Year's Day
2018-03-17 Saint Patrick's Day
2018-04-02 Easter Monday
2018-05-07 May Bank Holiday
2018-06-04 June Bank Holiday
2018-08-06 August Bank Holiday
2018-10-29 October Bank Holiday
2018-12-25 Christmas Day
2018-12-26 Saint Stephen's Day
2019-01-01 New Year's Day
2019-03-17 Saint Patrick's Day
2019-04-22 Easter Monday
2019-05-06 May Bank Holiday
2019-06-03 June Bank Holiday
2019-08-05 August Bank Holiday
2019-10-28 October Bank Holiday
2019-12-25 Christmas Day
2019-12-26 Saint Stephen's Day
2020-01-01 New Year's Day
2020-03-17 Saint Patrick's Day
2020-04-13 Easter Monday
2020-05-04 May Bank Holiday
2020-06-01 June Bank Holiday
2020-08-03 August Bank Holiday
2020-10-26 October Bank Holiday
2020-12-25 Christmas Day
2020-12-26 Saint Stephen's Day
2021-01-01 New Year's Day
2021-03-17 Saint Patrick's Day
2021-04-05 Easter Monday
2021-05-03 May Bank Holiday
2021-06-07 June Bank Holiday
2021-08-02 August Bank Holiday
2021-10-25 October Bank Holiday
2021-12-25 Christmas Day
2021-12-26 Saint Stephen's Day
2022-01-01 New Year's Day
2022-03-17 Saint Patrick's Day
2022-03-18 Day of Remembrance and Recognition
2022-04-18 Easter Monday
2022-05-02 May Bank Holiday
2022-06-06 June Bank Holiday
2022-08-01 August Bank Holiday
2022-10-31 October Bank Holiday
2022-12-25 Christmas Day
2022-12-26 Saint Stephen's Day
2023-01-01 New Year's Day
2023-02-06 Saint Brigid's Day
2023-03-17 Saint Patrick's Day
2023-04-10 Easter Monday
2023-05-01 May Bank Holiday
2023-06-05 June Bank Holiday
2023-08-07 August Bank Holiday
2023-10-30 October Bank Holiday
2023-12-25 Christmas Day
2023-12-26 Saint Stephen's Day
2024-01-01 New Year's Day
2024-02-05 Saint Brigid's Day
2024-03-17 Saint Patrick's Day
2024-04-01 Easter Monday
2024-05-06 May Bank Holiday
2024-06-03 June Bank Holiday
2024-08-05 August Bank Holiday
2024-10-28 October Bank Holiday
2024-12-25 Christmas Day
2024-12-26 Saint Stephen's Day
2025-01-01 New Year's Day
2025-02-03 Saint Brigid's Day
2025-03-17 Saint Patrick's Day
2025-04-21 Easter Monday
2025-05-05 May Bank Holiday
2025-06-02 June Bank Holiday
2025-08-04 August Bank Holiday
2025-10-27 October Bank Holiday
2025-12-25 Christmas Day
2025-12-26 Saint Stephen's Day
2026-01-01 New Year's Day
2026-02-02 Saint Brigid's Day
2026-03-17 Saint Patrick's Day
2026-04-06 Easter Monday
2026-05-04 May Bank Holiday
2026-06-01 June Bank Holiday
2026-08-03 August Bank Holiday
2026-10-26 October Bank Holiday
2026-12-25 Christmas Day
2026-12-26 Saint Stephen's Day
2027-01-01 New Year's Day
2027-02-01 Saint Brigid's Day
2027-03-17 Saint Patrick's Day
2027-03-29 Easter Monday
2027-05-03 May Bank Holiday
2027-06-07 June Bank Holiday
2027-08-02 August Bank Holiday
2027-10-25 October Bank Holiday
2027-12-25 Christmas Day
2027-12-26 Saint Stephen's Day
2028-01-01 New Year's Day
2028-02-07 Saint Brigid's Day
2028-03-17 Saint Patrick's Day
2028-04-17 Easter Monday
2028-05-01 May Bank Holiday
2028-06-05 June Bank Holiday
2028-08-07 August Bank Holiday
2028-10-30 October Bank Holiday
2028-12-25 Christmas Day
2028-12-26 Saint Stephen's Day
2029-01-01 New Year's Day
2029-02-05 Saint Brigid's Day
2029-03-17 Saint Patrick's Day
2029-04-02 Easter Monday
2029-05-07 May Bank Holiday
2029-06-04 June Bank Holiday
2029-08-06 August Bank Holiday
2029-10-29 October Bank Holiday
2029-12-25 Christmas Day
2029-12-26 Saint Stephen's Day
2030-01-01 New Year's Day
2030-02-01 Saint Brigid's Day
2030-03-17 Saint Patrick's Day
2030-04-22 Easter Monday
2030-05-06 May Bank Holiday
2030-06-03 June Bank Holiday
2030-08-05 August Bank Holiday
2030-10-28 October Bank Holiday
2030-12-25 Christmas Day
2030-12-26 Saint Stephen's Day
2031-01-01 New Year's Day
2031-02-03 Saint Brigid's Day
2031-03-17 Saint Patrick's Day
2031-04-14 Easter Monday
2031-05-05 May Bank Holiday
2031-06-02 June Bank Holiday
2031-08-04 August Bank Holiday
2031-10-27 October Bank Holiday
2031-12-25 Christmas Day
2031-12-26 Saint Stephen's Day
2032-01-01 New Year's Day
2032-02-02 Saint Brigid's Day
2032-03-17 Saint Patrick's Day
2032-03-29 Easter Monday
2032-05-03 May Bank Holiday
2032-06-07 June Bank Holiday
2032-08-02 August Bank Holiday
2032-10-25 October Bank Holiday
2032-12-25 Christmas Day
2032-12-26 Saint Stephen's Day
2033-01-01 New Year's Day
2033-02-07 Saint Brigid's Day
2033-03-17 Saint Patrick's Day
2033-04-18 Easter Monday
2033-05-02 May Bank Holiday
2033-06-06 June Bank Holiday
2033-08-01 August Bank Holiday
2033-10-31 October Bank Holiday
2033-12-25 Christmas Day
2033-12-26 Saint Stephen's Day
2034-01-01 New Year's Day
2034-02-06 Saint Brigid's Day
2034-03-17 Saint Patrick's Day
2034-04-10 Easter Monday
2034-05-01 May Bank Holiday
2034-06-05 June Bank Holiday
2034-08-07 August Bank Holiday
2034-10-30 October Bank Holiday
2034-12-25 Christmas Day
2034-12-26 Saint Stephen's Day
2035-01-01 New Year's Day
2035-02-05 Saint Brigid's Day
2035-03-17 Saint Patrick's Day
2035-03-26 Easter Monday
2035-05-07 May Bank Holiday
2035-06-04 June Bank Holiday
2035-08-06 August Bank Holiday
2035-10-29 October Bank Holiday
2035-12-25 Christmas Day
2035-12-26 Saint Stephen's Day
{%- endset -%}
    {%- do holidays.update({'IE': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-01-06 Epiphany
2010-04-04 Easter Sunday
2010-04-05 Easter Monday
2010-04-25 Liberation Day
2010-05-01 Labor Day
2010-06-02 Republic Day
2010-08-15 Assumption Of Mary Day
2010-11-01 All Saints' Day
2010-11-07 National Unity Day
2010-12-08 Immaculate Conception
2010-12-25 Christmas Day
2010-12-26 Saint Stephen's Day
2011-01-01 New Year's Day
2011-01-06 Epiphany
2011-03-17 Anniversary of the Unification of Italy
2011-04-24 Easter Sunday
2011-04-25 Easter Monday; Liberation Day
2011-05-01 Labor Day
2011-06-02 Republic Day
2011-08-15 Assumption Of Mary Day
2011-11-01 All Saints' Day
2011-11-06 National Unity Day
2011-12-08 Immaculate Conception
2011-12-25 Christmas Day
2011-12-26 Saint Stephen's Day
2012-01-01 New Year's Day
2012-01-06 Epiphany
2012-04-08 Easter Sunday
2012-04-09 Easter Monday
2012-04-25 Liberation Day
2012-05-01 Labor Day
2012-06-02 Republic Day
2012-08-15 Assumption Of Mary Day
2012-11-01 All Saints' Day
2012-11-04 National Unity Day
2012-12-08 Immaculate Conception
2012-12-25 Christmas Day
2012-12-26 Saint Stephen's Day
2013-01-01 New Year's Day
2013-01-06 Epiphany
2013-03-31 Easter Sunday
2013-04-01 Easter Monday
2013-04-25 Liberation Day
2013-05-01 Labor Day
2013-06-02 Republic Day
2013-08-15 Assumption Of Mary Day
2013-11-01 All Saints' Day
2013-11-03 National Unity Day
2013-12-08 Immaculate Conception
2013-12-25 Christmas Day
2013-12-26 Saint Stephen's Day
2014-01-01 New Year's Day
2014-01-06 Epiphany
2014-04-20 Easter Sunday
2014-04-21 Easter Monday
2014-04-25 Liberation Day
2014-05-01 Labor Day
2014-06-02 Republic Day
2014-08-15 Assumption Of Mary Day
2014-11-01 All Saints' Day
2014-11-02 National Unity Day
2014-12-08 Immaculate Conception
2014-12-25 Christmas Day
2014-12-26 Saint Stephen's Day
2015-01-01 New Year's Day
2015-01-06 Epiphany
2015-04-05 Easter Sunday
2015-04-06 Easter Monday
2015-04-25 Liberation Day
2015-05-01 Labor Day
2015-06-02 Republic Day
2015-08-15 Assumption Of Mary Day
2015-11-01 All Saints' Day; National Unity Day
2015-12-08 Immaculate Conception
2015-12-25 Christmas Day
2015-12-26 Saint Stephen's Day
2016-01-01 New Year's Day
2016-01-06 Epiphany
2016-03-27 Easter Sunday
2016-03-28 Easter Monday
2016-04-25 Liberation Day
2016-05-01 Labor Day
2016-06-02 Republic Day
2016-08-15 Assumption Of Mary Day
2016-11-01 All Saints' Day
2016-11-06 National Unity Day
2016-12-08 Immaculate Conception
2016-12-25 Christmas Day
2016-12-26 Saint Stephen's Day
2017-01-01 New Year's Day
2017-01-06 Epiphany
2017-04-16 Easter Sunday
2017-04-17 Easter Monday
2017-04-25 Liberation Day
2017-05-01 Labor Day
2017-06-02 Republic Day
2017-08-15 Assumption Of Mary Day
2017-11-01 All Saints' Day
2017-11-05 National Unity Day
2017-12-08 Immaculate Conception
2017-12-25 Christmas Day
2017-12-26 Saint Stephen's Day
2018-01-01 New Year's Day
2018-01-06 Epiphany
2018-04-01 Easter Sunday
2018-04-02 Easter Monday
2018-04-25 Liberation Day
2018-05-01 Labor Day
2018-06-02 Republic Day
2018-08-15 Assumption Of Mary Day
2018-11-01 All Saints' Day
2018-11-04 National Unity Day
2018-12-08 Immaculate Conception
2018-12-25 Christmas Day
2018-12-26 Saint Stephen's Day
2019-01-01 New Year's Day
2019-01-06 Epiphany
2019-04-21 Easter Sunday
2019-04-22 Easter Monday
2019-04-25 Liberation Day
2019-05-01 Labor Day
2019-06-02 Republic Day
2019-08-15 Assumption Of Mary Day
2019-11-01 All Saints' Day
2019-11-03 National Unity Day
2019-12-08 Immaculate Conception
2019-12-25 Christmas Day
2019-12-26 Saint Stephen's Day
2020-01-01 New Year's Day
2020-01-06 Epiphany
2020-04-12 Easter Sunday
2020-04-13 Easter Monday
2020-04-25 Liberation Day
2020-05-01 Labor Day
2020-06-02 Republic Day
2020-08-15 Assumption Of Mary Day
2020-11-01 All Saints' Day; National Unity Day
2020-12-08 Immaculate Conception
2020-12-25 Christmas Day
2020-12-26 Saint Stephen's Day
2021-01-01 New Year's Day
2021-01-06 Epiphany
2021-04-04 Easter Sunday
2021-04-05 Easter Monday
2021-04-25 Liberation Day
2021-05-01 Labor Day
2021-06-02 Republic Day
2021-08-15 Assumption Of Mary Day
2021-11-01 All Saints' Day
2021-11-07 National Unity Day
2021-12-08 Immaculate Conception
2021-12-25 Christmas Day
2021-12-26 Saint Stephen's Day
2022-01-01 New Year's Day
2022-01-06 Epiphany
2022-04-17 Easter Sunday
2022-04-18 Easter Monday
2022-04-25 Liberation Day
2022-05-01 Labor Day
2022-06-02 Republic Day
2022-08-15 Assumption Of Mary Day
2022-11-01 All Saints' Day
2022-11-06 National Unity Day
2022-12-08 Immaculate Conception
2022-12-25 Christmas Day
2022-12-26 Saint Stephen's Day
2023-01-01 New Year's Day
2023-01-06 Epiphany
2023-04-09 Easter Sunday
2023-04-10 Easter Monday
2023-04-25 Liberation Day
2023-05-01 Labor Day
2023-06-02 Republic Day
2023-08-15 Assumption Of Mary Day
2023-11-01 All Saints' Day
2023-11-05 National Unity Day
2023-12-08 Immaculate Conception
2023-12-25 Christmas Day
2023-12-26 Saint Stephen's Day
2024-01-01 New Year's Day
2024-01-06 Epiphany
2024-03-31 Easter Sunday
2024-04-01 Easter Monday
2024-04-25 Liberation Day
2024-05-01 Labor Day
2024-06-02 Republic Day
2024-08-15 Assumption Of Mary Day
2024-11-01 All Saints' Day
2024-11-03 National Unity Day
2024-12-08 Immaculate Conception
2024-12-25 Christmas Day
2024-12-26 Saint Stephen's Day
2025-01-01 New Year's Day
2025-01-06 Epiphany
2025-04-20 Easter Sunday
2025-04-21 Easter Monday
2025-04-25 Liberation Day
2025-05-01 Labor Day
2025-06-02 Republic Day
2025-08-15 Assumption Of Mary Day
2025-11-01 All Saints' Day
2025-11-02 National Unity Day
2025-12-08 Immaculate Conception
2025-12-25 Christmas Day
2025-12-26 Saint Stephen's Day
2026-01-01 New Year's Day
2026-01-06 Epiphany
2026-04-05 Easter Sunday
2026-04-06 Easter Monday
2026-04-25 Liberation Day
2026-05-01 Labor Day
2026-06-02 Republic Day
2026-08-15 Assumption Of Mary Day
2026-10-04 Saint Francis of Assisi, Patron Saint of Italy
2026-11-01 All Saints' Day; National Unity Day
2026-12-08 Immaculate Conception
2026-12-25 Christmas Day
2026-12-26 Saint Stephen's Day
2027-01-01 New Year's Day
2027-01-06 Epiphany
2027-03-28 Easter Sunday
2027-03-29 Easter Monday
2027-04-25 Liberation Day
2027-05-01 Labor Day
2027-06-02 Republic Day
2027-08-15 Assumption Of Mary Day
2027-10-04 Saint Francis of Assisi, Patron Saint of Italy
2027-11-01 All Saints' Day
2027-11-07 National Unity Day
2027-12-08 Immaculate Conception
2027-12-25 Christmas Day
2027-12-26 Saint Stephen's Day
2028-01-01 New Year's Day
2028-01-06 Epiphany
2028-04-16 Easter Sunday
2028-04-17 Easter Monday
2028-04-25 Liberation Day
2028-05-01 Labor Day
2028-06-02 Republic Day
2028-08-15 Assumption Of Mary Day
2028-10-04 Saint Francis of Assisi, Patron Saint of Italy
2028-11-01 All Saints' Day
2028-11-05 National Unity Day
2028-12-08 Immaculate Conception
2028-12-25 Christmas Day
2028-12-26 Saint Stephen's Day
2029-01-01 New Year's Day
2029-01-06 Epiphany
2029-04-01 Easter Sunday
2029-04-02 Easter Monday
2029-04-25 Liberation Day
2029-05-01 Labor Day
2029-06-02 Republic Day
2029-08-15 Assumption Of Mary Day
2029-10-04 Saint Francis of Assisi, Patron Saint of Italy
2029-11-01 All Saints' Day
2029-11-04 National Unity Day
2029-12-08 Immaculate Conception
2029-12-25 Christmas Day
2029-12-26 Saint Stephen's Day
2030-01-01 New Year's Day
2030-01-06 Epiphany
2030-04-21 Easter Sunday
2030-04-22 Easter Monday
2030-04-25 Liberation Day
2030-05-01 Labor Day
2030-06-02 Republic Day
2030-08-15 Assumption Of Mary Day
2030-10-04 Saint Francis of Assisi, Patron Saint of Italy
2030-11-01 All Saints' Day
2030-11-03 National Unity Day
2030-12-08 Immaculate Conception
2030-12-25 Christmas Day
2030-12-26 Saint Stephen's Day
2031-01-01 New Year's Day
2031-01-06 Epiphany
2031-04-13 Easter Sunday
2031-04-14 Easter Monday
2031-04-25 Liberation Day
2031-05-01 Labor Day
2031-06-02 Republic Day
2031-08-15 Assumption Of Mary Day
2031-10-04 Saint Francis of Assisi, Patron Saint of Italy
2031-11-01 All Saints' Day
2031-11-02 National Unity Day
2031-12-08 Immaculate Conception
2031-12-25 Christmas Day
2031-12-26 Saint Stephen's Day
2032-01-01 New Year's Day
2032-01-06 Epiphany
2032-03-28 Easter Sunday
2032-03-29 Easter Monday
2032-04-25 Liberation Day
2032-05-01 Labor Day
2032-06-02 Republic Day
2032-08-15 Assumption Of Mary Day
2032-10-04 Saint Francis of Assisi, Patron Saint of Italy
2032-11-01 All Saints' Day
2032-11-07 National Unity Day
2032-12-08 Immaculate Conception
2032-12-25 Christmas Day
2032-12-26 Saint Stephen's Day
2033-01-01 New Year's Day
2033-01-06 Epiphany
2033-04-17 Easter Sunday
2033-04-18 Easter Monday
2033-04-25 Liberation Day
2033-05-01 Labor Day
2033-06-02 Republic Day
2033-08-15 Assumption Of Mary Day
2033-10-04 Saint Francis of Assisi, Patron Saint of Italy
2033-11-01 All Saints' Day
2033-11-06 National Unity Day
2033-12-08 Immaculate Conception
2033-12-25 Christmas Day
2033-12-26 Saint Stephen's Day
2034-01-01 New Year's Day
2034-01-06 Epiphany
2034-04-09 Easter Sunday
2034-04-10 Easter Monday
2034-04-25 Liberation Day
2034-05-01 Labor Day
2034-06-02 Republic Day
2034-08-15 Assumption Of Mary Day
2034-10-04 Saint Francis of Assisi, Patron Saint of Italy
2034-11-01 All Saints' Day
2034-11-05 National Unity Day
2034-12-08 Immaculate Conception
2034-12-25 Christmas Day
2034-12-26 Saint Stephen's Day
2035-01-01 New Year's Day
2035-01-06 Epiphany
2035-03-25 Easter Sunday
2035-03-26 Easter Monday
2035-04-25 Liberation Day
2035-05-01 Labor Day
2035-06-02 Republic Day
2035-08-15 Assumption Of Mary Day
2035-10-04 Saint Francis of Assisi, Patron Saint of Italy
2035-11-01 All Saints' Day
2035-11-04 National Unity Day
2035-12-08 Immaculate Conception
2035-12-25 Christmas Day
2035-12-26 Saint Stephen's Day
{%- endset -%}
    {%- do holidays.update({'IT': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-04-02 Good Friday
2010-04-04 Easter Sunday
2010-04-05 Easter Monday
2010-04-30 Queen's Day
2010-05-05 Liberation Day
2010-05-13 Ascension Day
2010-05-23 Pentecost
2010-05-24 Pentecost Monday
2010-12-25 Christmas Day
2010-12-26 Second Day of Christmas
2011-01-01 New Year's Day
2011-04-22 Good Friday
2011-04-24 Easter Sunday
2011-04-25 Easter Monday
2011-04-30 Queen's Day
2011-06-02 Ascension Day
2011-06-12 Pentecost
2011-06-13 Pentecost Monday
2011-12-25 Christmas Day
2011-12-26 Second Day of Christmas
2012-01-01 New Year's Day
2012-04-06 Good Friday
2012-04-08 Easter Sunday
2012-04-09 Easter Monday
2012-04-30 Queen's Day
2012-05-17 Ascension Day
2012-05-27 Pentecost
2012-05-28 Pentecost Monday
2012-12-25 Christmas Day
2012-12-26 Second Day of Christmas
2013-01-01 New Year's Day
2013-03-29 Good Friday
2013-03-31 Easter Sunday
2013-04-01 Easter Monday
2013-04-30 Queen's Day
2013-05-09 Ascension Day
2013-05-19 Pentecost
2013-05-20 Pentecost Monday
2013-12-25 Christmas Day
2013-12-26 Second Day of Christmas
2014-01-01 New Year's Day
2014-04-18 Good Friday
2014-04-20 Easter Sunday
2014-04-21 Easter Monday
2014-04-26 King's Day
2014-05-29 Ascension Day
2014-06-08 Pentecost
2014-06-09 Pentecost Monday
2014-12-25 Christmas Day
2014-12-26 Second Day of Christmas
2015-01-01 New Year's Day
2015-04-03 Good Friday
2015-04-05 Easter Sunday
2015-04-06 Easter Monday
2015-04-27 King's Day
2015-05-05 Liberation Day
2015-05-14 Ascension Day
2015-05-24 Pentecost
2015-05-25 Pentecost Monday
2015-12-25 Christmas Day
2015-12-26 Second Day of Christmas
2016-01-01 New Year's Day
2016-03-25 Good Friday
2016-03-27 Easter Sunday
2016-03-28 Easter Monday
2016-04-27 King's Day
2016-05-05 Ascension Day
2016-05-15 Pentecost
2016-05-16 Pentecost Monday
2016-12-25 Christmas Day
2016-12-26 Second Day of Christmas
2017-01-01 New Year's Day
2017-04-14 Good Friday
2017-04-16 Easter Sunday
2017-04-17 Easter Monday
2017-04-27 King's Day
2017-05-25 Ascension Day
2017-06-04 Pentecost
2017-06-05 Pentecost Monday
2017-12-25 Christmas Day
2017-12-26 Second Day of Christmas
2018-01-01 New Year's Day
2018-03-30 Good Friday
2018-04-01 Easter Sunday
2018-04-02 Easter Monday
2018-04-27 King's Day
2018-05-10 Ascension Day
2018-05-20 Pentecost
2018-05-21 Pentecost Monday
2018-12-25 Christmas Day
2018-12-26 Second Day of Christmas
2019-01-01 New Year's Day
2019-04-19 Good Friday
2019-04-21 Easter Sunday
2019-04-22 Easter Monday
2019-04-27 King's Day
2019-05-30 Ascension Day
2019-06-09 Pentecost
2019-06-10 Pentecost Monday
2019-12-25 Christmas Day
2019-12-26 Second Day of Christmas
2020-01-01 New Year's Day
2020-04-10 Good Friday
2020-04-12 Easter Sunday
2020-04-13 Easter Monday
2020-04-27 King's Day
2020-05-05 Liberation Day
2020-05-21 Ascension Day
2020-05-31 Pentecost
2020-06-01 Pentecost Monday
2020-12-25 Christmas Day
2020-12-26 Second Day of Christmas
2021-01-01 New Year's Day
2021-04-02 Good Friday
2021-04-04 Easter Sunday
2021-04-05 Easter Monday
2021-04-27 King's Day
2021-05-13 Ascension Day
2021-05-23 Pentecost
2021-05-24 Pentecost Monday
2021-12-25 Christmas Day
2021-12-26 Second Day of Christmas
2022-01-01 New Year's Day
2022-04-15 Good Friday
2022-04-17 Easter Sunday
2022-04-18 Easter Monday
2022-04-27 King's Day
2022-05-26 Ascension Day
2022-06-05 Pentecost
2022-06-06 Pentecost Monday
2022-12-25 Christmas Day
2022-12-26 Second Day of Christmas
2023-01-01 New Year's Day
2023-04-07 Good Friday
2023-04-09 Easter Sunday
2023-04-10 Easter Monday
2023-04-27 King's Day
2023-05-18 Ascension Day
2023-05-28 Pentecost
2023-05-29 Pentecost Monday
2023-12-25 Christmas Day
2023-12-26 Second Day of Christmas
2024-01-01 New Year's Day
2024-03-29 Good Friday
2024-03-31 Easter Sunday
2024-04-01 Easter Monday
2024-04-27 King's Day
2024-05-09 Ascension Day
2024-05-19 Pentecost
2024-05-20 Pentecost Monday
2024-12-25 Christmas Day
2024-12-26 Second Day of Christmas
2025-01-01 New Year's Day
2025-04-18 Good Friday
2025-04-20 Easter Sunday
2025-04-21 Easter Monday
2025-04-26 King's Day
2025-05-05 Liberation Day
2025-05-29 Ascension Day
2025-06-08 Pentecost
2025-06-09 Pentecost Monday
2025-12-25 Christmas Day
2025-12-26 Second Day of Christmas
2026-01-01 New Year's Day
2026-04-03 Good Friday
2026-04-05 Easter Sunday
2026-04-06 Easter Monday
2026-04-27 King's Day
2026-05-14 Ascension Day
2026-05-24 Pentecost
2026-05-25 Pentecost Monday
2026-12-25 Christmas Day
2026-12-26 Second Day of Christmas
2027-01-01 New Year's Day
2027-03-26 Good Friday
2027-03-28 Easter Sunday
2027-03-29 Easter Monday
2027-04-27 King's Day
2027-05-06 Ascension Day
2027-05-16 Pentecost
2027-05-17 Pentecost Monday
2027-12-25 Christmas Day
2027-12-26 Second Day of Christmas
2028-01-01 New Year's Day
2028-04-14 Good Friday
2028-04-16 Easter Sunday
2028-04-17 Easter Monday
2028-04-27 King's Day
2028-05-25 Ascension Day
2028-06-04 Pentecost
2028-06-05 Pentecost Monday
2028-12-25 Christmas Day
2028-12-26 Second Day of Christmas
2029-01-01 New Year's Day
2029-03-30 Good Friday
2029-04-01 Easter Sunday
2029-04-02 Easter Monday
2029-04-27 King's Day
2029-05-10 Ascension Day
2029-05-20 Pentecost
2029-05-21 Pentecost Monday
2029-12-25 Christmas Day
2029-12-26 Second Day of Christmas
2030-01-01 New Year's Day
2030-04-19 Good Friday
2030-04-21 Easter Sunday
2030-04-22 Easter Monday
2030-04-27 King's Day
2030-05-05 Liberation Day
2030-05-30 Ascension Day
2030-06-09 Pentecost
2030-06-10 Pentecost Monday
2030-12-25 Christmas Day
2030-12-26 Second Day of Christmas
2031-01-01 New Year's Day
2031-04-11 Good Friday
2031-04-13 Easter Sunday
2031-04-14 Easter Monday
2031-04-26 King's Day
2031-05-22 Ascension Day
2031-06-01 Pentecost
2031-06-02 Pentecost Monday
2031-12-25 Christmas Day
2031-12-26 Second Day of Christmas
2032-01-01 New Year's Day
2032-03-26 Good Friday
2032-03-28 Easter Sunday
2032-03-29 Easter Monday
2032-04-27 King's Day
2032-05-06 Ascension Day
2032-05-16 Pentecost
2032-05-17 Pentecost Monday
2032-12-25 Christmas Day
2032-12-26 Second Day of Christmas
2033-01-01 New Year's Day
2033-04-15 Good Friday
2033-04-17 Easter Sunday
2033-04-18 Easter Monday
2033-04-27 King's Day
2033-05-26 Ascension Day
2033-06-05 Pentecost
2033-06-06 Pentecost Monday
2033-12-25 Christmas Day
2033-12-26 Second Day of Christmas
2034-01-01 New Year's Day
2034-04-07 Good Friday
2034-04-09 Easter Sunday
2034-04-10 Easter Monday
2034-04-27 King's Day
2034-05-18 Ascension Day
2034-05-28 Pentecost
2034-05-29 Pentecost Monday
2034-12-25 Christmas Day
2034-12-26 Second Day of Christmas
2035-01-01 New Year's Day
2035-03-23 Good Friday
2035-03-25 Easter Sunday
2035-03-26 Easter Monday
2035-04-27 King's Day
2035-05-03 Ascension Day
2035-05-05 Liberation Day
2035-05-13 Pentecost
2035-05-14 Pentecost Monday
2035-12-25 Christmas Day
2035-12-26 Second Day of Christmas
{%- endset -%}
    {%- do holidays.update({'NL': days}) -%}
    {%- set days -%}
2010-01-01 New Year's Day
2010-01-18 Martin Luther King Jr. Day
2010-02-15 Washington's Birthday
2010-05-31 Memorial Day
2010-07-04 Independence Day
2010-07-05 Independence Day (observed)
2010-09-06 Labor Day
2010-10-11 Columbus Day
2010-11-11 Veterans Day
2010-11-25 Thanksgiving Day
2010-12-24 Christmas Day (observed)
2010-12-25 Christmas Day
2010-12-31 New Year's Day (observed)
2011-01-01 New Year's Day
2011-01-17 Martin Luther King Jr. Day
2011-02-21 Washington's Birthday
2011-05-30 Memorial Day
2011-07-04 Independence Day
2011-09-05 Labor Day
2011-10-10 Columbus Day
2011-11-11 Veterans Day
2011-11-24 Thanksgiving Day
2011-12-25 Christmas Day
2011-12-26 Christmas Day (observed)
2012-01-01 New Year's Day
2012-01-02 New Year's Day (observed)
2012-01-16 Martin Luther King Jr. Day
2012-02-20 Washington's Birthday
2012-05-28 Memorial Day
2012-07-04 Independence Day
2012-09-03 Labor Day
2012-10-08 Columbus Day
2012-11-11 Veterans Day
2012-11-12 Veterans Day (observed)
2012-11-22 Thanksgiving Day
2012-12-25 Christmas Day
2013-01-01 New Year's Day
2013-01-21 Martin Luther King Jr. Day
2013-02-18 Washington's Birthday
2013-05-27 Memorial Day
2013-07-04 Independence Day
2013-09-02 Labor Day
2013-10-14 Columbus Day
2013-11-11 Veterans Day
2013-11-28 Thanksgiving Day
2013-12-25 Christmas Day
2014-01-01 New Year's Day
2014-01-20 Martin Luther King Jr. Day
2014-02-17 Washington's Birthday
2014-05-26 Memorial Day
2014-07-04 Independence Day
2014-09-01 Labor Day
2014-10-13 Columbus Day
2014-11-11 Veterans Day
2014-11-27 Thanksgiving Day
2014-12-25 Christmas Day
2015-01-01 New Year's Day
2015-01-19 Martin Luther King Jr. Day
2015-02-16 Washington's Birthday
2015-05-25 Memorial Day
2015-07-03 Independence Day (observed)
2015-07-04 Independence Day
2015-09-07 Labor Day
2015-10-12 Columbus Day
2015-11-11 Veterans Day
2015-11-26 Thanksgiving Day
2015-12-25 Christmas Day
2016-01-01 New Year's Day
2016-01-18 Martin Luther King Jr. Day
2016-02-15 Washington's Birthday
2016-05-30 Memorial Day
2016-07-04 Independence Day
2016-09-05 Labor Day
2016-10-10 Columbus Day
2016-11-11 Veterans Day
2016-11-24 Thanksgiving Day
2016-12-25 Christmas Day
2016-12-26 Christmas Day (observed)
2017-01-01 New Year's Day
2017-01-02 New Year's Day (observed)
2017-01-16 Martin Luther King Jr. Day
2017-02-20 Washington's Birthday
2017-05-29 Memorial Day
2017-07-04 Independence Day
2017-09-04 Labor Day
2017-10-09 Columbus Day
2017-11-10 Veterans Day (observed)
2017-11-11 Veterans Day
2017-11-23 Thanksgiving Day
2017-12-25 Christmas Day
2018-01-01 New Year's Day
2018-01-15 Martin Luther King Jr. Day
2018-02-19 Washington's Birthday
2018-05-28 Memorial Day
2018-07-04 Independence Day
2018-09-03 Labor Day
2018-10-08 Columbus Day
2018-11-11 Veterans Day
2018-11-12 Veterans Day (observed)
2018-11-22 Thanksgiving Day
2018-12-25 Christmas Day
2019-01-01 New Year's Day
2019-01-21 Martin Luther King Jr. Day
2019-02-18 Washington's Birthday
2019-05-27 Memorial Day
2019-07-04 Independence Day
2019-09-02 Labor Day
2019-10-14 Columbus Day
2019-11-11 Veterans Day
2019-11-28 Thanksgiving Day
2019-12-25 Christmas Day
2020-01-01 New Year's Day
2020-01-20 Martin Luther King Jr. Day
2020-02-17 Washington's Birthday
2020-05-25 Memorial Day
2020-07-03 Independence Day (observed)
2020-07-04 Independence Day
2020-09-07 Labor Day
2020-10-12 Columbus Day
2020-11-11 Veterans Day
2020-11-26 Thanksgiving Day
2020-12-25 Christmas Day
2021-01-01 New Year's Day
2021-01-18 Martin Luther King Jr. Day
2021-02-15 Washington's Birthday
2021-05-31 Memorial Day
2021-06-18 Juneteenth National Independence Day (observed)
2021-06-19 Juneteenth National Independence Day
2021-07-04 Independence Day
2021-07-05 Independence Day (observed)
2021-09-06 Labor Day
2021-10-11 Columbus Day
2021-11-11 Veterans Day
2021-11-25 Thanksgiving Day
2021-12-24 Christmas Day (observed)
2021-12-25 Christmas Day
2021-12-31 New Year's Day (observed)
2022-01-01 New Year's Day
2022-01-17 Martin Luther King Jr. Day
2022-02-21 Washington's Birthday
2022-05-30 Memorial Day
2022-06-19 Juneteenth National Independence Day
2022-06-20 Juneteenth National Independence Day (observed)
2022-07-04 Independence Day
2022-09-05 Labor Day
2022-10-10 Columbus Day
2022-11-11 Veterans Day
2022-11-24 Thanksgiving Day
2022-12-25 Christmas Day
2022-12-26 Christmas Day (observed)
2023-01-01 New Year's Day
2023-01-02 New Year's Day (observed)
2023-01-16 Martin Luther King Jr. Day
2023-02-20 Washington's Birthday
2023-05-29 Memorial Day
2023-06-19 Juneteenth National Independence Day
2023-07-04 Independence Day
2023-09-04 Labor Day
2023-10-09 Columbus Day
2023-11-10 Veterans Day (observed)
2023-11-11 Veterans Day
2023-11-23 Thanksgiving Day
2023-12-25 Christmas Day
2024-01-01 New Year's Day
2024-01-15 Martin Luther King Jr. Day
2024-02-19 Washington's Birthday
2024-05-27 Memorial Day
2024-06-19 Juneteenth National Independence Day
2024-07-04 Independence Day
2024-09-02 Labor Day
2024-10-14 Columbus Day
2024-11-11 Veterans Day
2024-11-28 Thanksgiving Day
2024-12-25 Christmas Day
2025-01-01 New Year's Day
2025-01-20 Martin Luther King Jr. Day
2025-02-17 Washington's Birthday
2025-05-26 Memorial Day
2025-06-19 Juneteenth National Independence Day
2025-07-04 Independence Day
2025-09-01 Labor Day
2025-10-13 Columbus Day
2025-11-11 Veterans Day
2025-11-27 Thanksgiving Day
2025-12-25 Christmas Day
2026-01-01 New Year's Day
2026-01-19 Martin Luther King Jr. Day
2026-02-16 Washington's Birthday
2026-05-25 Memorial Day
2026-06-19 Juneteenth National Independence Day
2026-07-03 Independence Day (observed)
2026-07-04 Independence Day
2026-09-07 Labor Day
2026-10-12 Columbus Day
2026-11-11 Veterans Day
2026-11-26 Thanksgiving Day
2026-12-25 Christmas Day
2027-01-01 New Year's Day
2027-01-18 Martin Luther King Jr. Day
2027-02-15 Washington's Birthday
2027-05-31 Memorial Day
2027-06-18 Juneteenth National Independence Day (observed)
2027-06-19 Juneteenth National Independence Day
2027-07-04 Independence Day
2027-07-05 Independence Day (observed)
2027-09-06 Labor Day
2027-10-11 Columbus Day
2027-11-11 Veterans Day
2027-11-25 Thanksgiving Day
2027-12-24 Christmas Day (observed)
2027-12-25 Christmas Day
2027-12-31 New Year's Day (observed)
2028-01-01 New Year's Day
2028-01-17 Martin Luther King Jr. Day
2028-02-21 Washington's Birthday
2028-05-29 Memorial Day
2028-06-19 Juneteenth National Independence Day
2028-07-04 Independence Day
2028-09-04 Labor Day
2028-10-09 Columbus Day
2028-11-10 Veterans Day (observed)
2028-11-11 Veterans Day
2028-11-23 Thanksgiving Day
2028-12-25 Christmas Day
2029-01-01 New Year's Day
2029-01-15 Martin Luther King Jr. Day
2029-02-19 Washington's Birthday
2029-05-28 Memorial Day
2029-06-19 Juneteenth National Independence Day
2029-07-04 Independence Day
2029-09-03 Labor Day
2029-10-08 Columbus Day
2029-11-11 Veterans Day
2029-11-12 Veterans Day (observed)
2029-11-22 Thanksgiving Day
2029-12-25 Christmas Day
2030-01-01 New Year's Day
2030-01-21 Martin Luther King Jr. Day
2030-02-18 Washington's Birthday
2030-05-27 Memorial Day
2030-06-19 Juneteenth National Independence Day
2030-07-04 Independence Day
2030-09-02 Labor Day
2030-10-14 Columbus Day
2030-11-11 Veterans Day
2030-11-28 Thanksgiving Day
2030-12-25 Christmas Day
2031-01-01 New Year's Day
2031-01-20 Martin Luther King Jr. Day
2031-02-17 Washington's Birthday
2031-05-26 Memorial Day
2031-06-19 Juneteenth National Independence Day
2031-07-04 Independence Day
2031-09-01 Labor Day
2031-10-13 Columbus Day
2031-11-11 Veterans Day
2031-11-27 Thanksgiving Day
2031-12-25 Christmas Day
2032-01-01 New Year's Day
2032-01-19 Martin Luther King Jr. Day
2032-02-16 Washington's Birthday
2032-05-31 Memorial Day
2032-06-18 Juneteenth National Independence Day (observed)
2032-06-19 Juneteenth National Independence Day
2032-07-04 Independence Day
2032-07-05 Independence Day (observed)
2032-09-06 Labor Day
2032-10-11 Columbus Day
2032-11-11 Veterans Day
2032-11-25 Thanksgiving Day
2032-12-24 Christmas Day (observed)
2032-12-25 Christmas Day
2032-12-31 New Year's Day (observed)
2033-01-01 New Year's Day
2033-01-17 Martin Luther King Jr. Day
2033-02-21 Washington's Birthday
2033-05-30 Memorial Day
2033-06-19 Juneteenth National Independence Day
2033-06-20 Juneteenth National Independence Day (observed)
2033-07-04 Independence Day
2033-09-05 Labor Day
2033-10-10 Columbus Day
2033-11-11 Veterans Day
2033-11-24 Thanksgiving Day
2033-12-25 Christmas Day
2033-12-26 Christmas Day (observed)
2034-01-01 New Year's Day
2034-01-02 New Year's Day (observed)
2034-01-16 Martin Luther King Jr. Day
2034-02-20 Washington's Birthday
2034-05-29 Memorial Day
2034-06-19 Juneteenth National Independence Day
2034-07-04 Independence Day
2034-09-04 Labor Day
2034-10-09 Columbus Day
2034-11-10 Veterans Day (observed)
2034-11-11 Veterans Day
2034-11-23 Thanksgiving Day
2034-12-25 Christmas Day
2035-01-01 New Year's Day
2035-01-15 Martin Luther King Jr. Day
2035-02-19 Washington's Birthday
2035-05-28 Memorial Day
2035-06-19 Juneteenth National Independence Day
2035-07-04 Independence Day
2035-09-03 Labor Day
2035-10-08 Columbus Day
2035-11-11 Veterans Day
2035-11-12 Veterans Day (observed)
2035-11-22 Thanksgiving Day
2035-12-25 Christmas Day
{%- endset -%}
    {%- do holidays.update({'US': days}) -%}
    {%- if country not in holidays -%}
        {{ exceptions.raise_compiler_error(
            'no holidays are known of the country in the var holiday_country, ' ~ country ~ '; known are '
            ~ (holidays | list | join(', ')) ~ '. More are added in dbt_project/macros/make_holidays.py'
        ) }}
    {%- endif -%}
    {%- set rows = [] -%}
    {%- for line in holidays[country].strip().split('\n') -%}
        {%- do rows.append([line[:10], line[11:]]) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

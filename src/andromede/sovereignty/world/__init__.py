"""The world that decides who can compel whom: sites, entities, shareholdings, contracts, laws."""

//! Priority groups of pull consumers (ADR-42).

super::family! {
    en "Consumers: priority groups"
    es "Consumidores: grupos de prioridad";

    (10159 400 JSConsumerPriorityPolicyWithoutGroup) "Setting PriorityPolicy requires at least one PriorityGroup to be set"
    en "priority_policy says how clients of a group take turns, and no group is named."
        => "Add a name: --set 'priority_groups=[\"workers\"]'; clients give it with each request."
    es "priority_policy dice cómo se turnan los clientes de un grupo, y no se nombra ninguno."
        => "Añade un nombre: --set 'priority_groups=[\"obreros\"]'; los clientes lo dan en cada petición.";

    (10160 400 JSConsumerInvalidPriorityGroupErr) "Provided priority group does not exist for this consumer"
    en "A pin should be taken away (unpin) in a group that the consumer does not have, or the consumer has no groups."
        => "recado consumer info STREAM CONSUMER --json shows priority_groups."
    es "Se quiso quitar el turno (unpin) en un grupo que el consumidor no tiene, o el consumidor no tiene grupos."
        => "recado consumer info FLUJO CONSUMIDOR --json muestra priority_groups.";

    (10161 400 JSConsumerEmptyGroupName) "Group name cannot be an empty string"
    en "One of priority_groups is empty: usually a variable that was not set."
        => "Give it a name of up to 16 characters."
    es "Uno de los priority_groups está vacío: normalmente una variable sin valor."
        => "Dale un nombre de hasta 16 caracteres.";

    (10162 400 JSConsumerInvalidGroupNameErr) "Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters"
    en "The name of a priority group has a character that it may not have (a dot, a blank, an accent), or more than 16 characters."
        => "Use a short plain name: workers, eu-1."
    es "El nombre de un grupo de prioridad lleva un carácter no permitido (un punto, un espacio, una tilde), o más de 16 caracteres."
        => "Usa un nombre corto y sencillo: obreros, eu-1.";

    (10178 400 JSConsumerPushWithPriorityGroupErr) "priority groups can not be used with push consumers"
    en "Priority groups decide whose request is served first, and nobody asks a push consumer."
        => "Leave --push-to out, and let the clients ask for messages."
    es "Los grupos de prioridad deciden qué petición se atiende antes, y a un consumidor push no le pide nadie."
        => "Quita --push-to, y que los clientes pidan los mensajes.";

    (10196 400 JSConsumerPriorityGroupWithPolicyNone) "consumer can not have priority groups when policy is none"
    en "Groups are named, and priority_policy is missing or none: they would do nothing."
        => "Add --set 'priority_policy=\"overflow\"' (or pinned_client, prioritized), or leave the groups out."
    es "Se nombran grupos y priority_policy falta o es none: no harían nada."
        => "Añade --set 'priority_policy=\"overflow\"' (o pinned_client, prioritized), o quita los grupos.";

    (10197 400 JSConsumerPinnedTTLWithoutPriorityPolicyNone) "PinnedTTL cannot be set when PriorityPolicy is none"
    en "priority_timeout says how long a silent client keeps the pin, and without priority_policy nobody is pinned."
        => "Add --set 'priority_policy=\"pinned_client\"' and a group, or leave priority_timeout out."
    es "priority_timeout dice cuánto conserva el turno un cliente callado, y sin priority_policy no hay turnos."
        => "Añade --set 'priority_policy=\"pinned_client\"' y un grupo, o quita priority_timeout.";
}

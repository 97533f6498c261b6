<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr" sourcelanguage="en">
<context>
    <name>AboutDialog</name>
    <message>
        <source>Video meetings in a window of their own, with sound that holds.</source>
        <translation>Des visioconférences dans leur propre fenêtre, avec un son qui tient.</translation>
    </message>
    <message>
        <source>Free software under the GNU General Public License, version 3 or later.</source>
        <translation>Logiciel libre sous licence publique générale GNU, version 3 ou ultérieure.</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Raccourcis clavier</translation>
    </message>
    <message>
        <source>Copy these facts</source>
        <translation>Copier ces informations</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Fermer</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Copié</translation>
    </message>
</context>
<context>
    <name>AccountButton</name>
    <message>
        <source>Sign in</source>
        <translation>Se connecter</translation>
    </message>
    <message>
        <source>No account</source>
        <translation>Aucun compte</translation>
    </message>
    <message>
        <source>Accounts</source>
        <translation>Comptes</translation>
    </message>
</context>
<context>
    <name>AccountCard</name>
    <message>
        <source>Sign in again</source>
        <translation>Se reconnecter</translation>
    </message>
    <message>
        <source>More for this account</source>
        <translation>Plus d’actions pour ce compte</translation>
    </message>
    <message>
        <source>Your presence</source>
        <translation>Votre présence</translation>
    </message>
    <message>
        <source>Status message</source>
        <translation>Message de statut</translation>
    </message>
    <message>
        <source>Status message, such as “Back at 14:00”</source>
        <translation>Message de statut, par exemple « De retour à 14 h »</translation>
    </message>
    <message>
        <source>Do not disturb</source>
        <translation>Ne pas déranger</translation>
    </message>
    <message>
        <source>Forward every call</source>
        <translation>Renvoyer tous les appels</translation>
    </message>
    <message>
        <source>When I am busy</source>
        <translation>Quand je suis occupé</translation>
    </message>
    <message>
        <source>When I do not answer</source>
        <translation>Quand je ne réponds pas</translation>
    </message>
    <message>
        <source>Forwards</source>
        <translation>Renvois</translation>
    </message>
    <message>
        <source>Type the number first</source>
        <translation>Saisissez d’abord le numéro</translation>
    </message>
    <message>
        <source>Account</source>
        <translation>Compte</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Se déconnecter</translation>
    </message>
    <message>
        <source>Sign out everywhere</source>
        <translation>Se déconnecter partout</translation>
    </message>
    <message>
        <source>Remove this account</source>
        <translation>Retirer ce compte</translation>
    </message>
</context>
<context>
    <name>AccountPicker</name>
    <message>
        <source>Account</source>
        <translation>Compte</translation>
    </message>
</context>
<context>
    <name>AccountsView</name>
    <message>
        <source>Accounts</source>
        <translation>Comptes</translation>
    </message>
    <message>
        <source>Add account</source>
        <translation>Ajouter un compte</translation>
    </message>
</context>
<context>
    <name>AddPanel</name>
    <message>
        <source>Add a call</source>
        <translation>Ajouter un appel</translation>
    </message>
    <message>
        <source>Number, name or call</source>
        <translation>Numéro, nom ou appel</translation>
    </message>
    <message>
        <source>The present call waits on hold. Merge them when all are there.</source>
        <translation>L’appel en cours attend. Réunissez-les quand tous sont là.</translation>
    </message>
</context>
<context>
    <name>AgentSection</name>
    <message>
        <source>Agent</source>
        <translation>Agent</translation>
    </message>
    <message>
        <source>Reason of the pause</source>
        <translation>Motif de la pause</translation>
    </message>
    <message>
        <source>Reason of the pause (optional)</source>
        <translation>Motif de la pause (facultatif)</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>En pause</translation>
    </message>
    <message>
        <source>Taking calls</source>
        <translation>Prend les appels</translation>
    </message>
    <message>
        <source>Logged out</source>
        <translation>Hors service</translation>
    </message>
    <message>
        <source>Log out</source>
        <translation>Fin de service</translation>
    </message>
    <message>
        <source>Log in</source>
        <translation>Prendre le service</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Reprendre</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Quitter</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>Rejoindre</translation>
    </message>
</context>
<context>
    <name>AloneCard</name>
    <message>
        <source>Copy meeting link</source>
        <translation>Copier le lien de la réunion</translation>
    </message>
    <message>
        <source>You are the only one here</source>
        <translation>Vous êtes seul ici</translation>
    </message>
</context>
<context>
    <name>ApiSection</name>
    <message>
        <source>API request (advanced)</source>
        <translation>Requête d’API (avancé)</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Méthode</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>Chemin</translation>
    </message>
    <message>
        <source>Body as JSON</source>
        <translation>Corps en JSON</translation>
    </message>
    <message>
        <source>Body as JSON (optional)</source>
        <translation>Corps en JSON (facultatif)</translation>
    </message>
    <message>
        <source>Send request</source>
        <translation>Envoyer</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Répondre</translation>
    </message>
    <message>
        <source>The body is not valid JSON.</source>
        <translation>Le corps n’est pas du JSON valide.</translation>
    </message>
</context>
<context>
    <name>AskedDialog</name>
    <message>
        <source>Password needed</source>
        <translation>Mot de passe requis</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>Se connecter</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Votre nom</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Continuer</translation>
    </message>
</context>
<context>
    <name>AskedForm</name>
    <message>
        <source>User name</source>
        <translation>Nom d’utilisateur</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Mot de passe</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Votre nom</translation>
    </message>
    <message>
        <source>This meeting is locked. Enter its password to join.</source>
        <translation>Cette réunion est verrouillée. Saisissez son mot de passe pour la rejoindre.</translation>
    </message>
    <message>
        <source>Only people with an account can start this meeting. Sign in to go on.</source>
        <translation>Seules les personnes disposant d’un compte peuvent ouvrir cette réunion. Connectez-vous pour continuer.</translation>
    </message>
    <message>
        <source>This meeting wants to know your name.</source>
        <translation>Cette réunion demande votre nom.</translation>
    </message>
</context>
<context>
    <name>AudioPage</name>
    <message>
        <source>Recording</source>
        <translation>Enregistrement</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Plus</translation>
    </message>
    <message>
        <source>More actions</source>
        <translation>Plus d’actions</translation>
    </message>
    <message>
        <source>Hang up</source>
        <translation>Raccrocher</translation>
    </message>
    <message>
        <source>Recording paused</source>
        <translation>Enregistrement en pause</translation>
    </message>
    <message>
        <source>Wait until the call is answered</source>
        <translation>Attendez que l’appel soit pris</translation>
    </message>
    <message>
        <source>{name} has put you on hold</source>
        <translation>{name} vous a mis en attente</translation>
    </message>
    <message>
        <source>Conference with {names}</source>
        <translation>Conférence avec {names}</translation>
    </message>
    <message>
        <source>Good connection</source>
        <translation>Bonne connexion</translation>
    </message>
    <message>
        <source>Fair connection</source>
        <translation>Connexion moyenne</translation>
    </message>
    <message>
        <source>Poor connection</source>
        <translation>Mauvaise connexion</translation>
    </message>
</context>
<context>
    <name>CallBar</name>
    <message>
        <source>Running meeting</source>
        <translation>Réunion en cours</translation>
    </message>
    <message>
        <source>Mute microphone</source>
        <translation>Couper le micro</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Quitter</translation>
    </message>
    <message>
        <source>Return</source>
        <translation>Revenir</translation>
    </message>
    <message>
        <source>Running call</source>
        <translation>Appel en cours</translation>
    </message>
    <message>
        <source>Hang up</source>
        <translation>Raccrocher</translation>
    </message>
    <message>
        <source>Unmute microphone</source>
        <translation>Activer le micro</translation>
    </message>
    <message>
        <source>Microphone is off</source>
        <translation>Le micro est coupé</translation>
    </message>
    <message>
        <source>Microphone is on</source>
        <translation>Le micro est activé</translation>
    </message>
    <message>
        <source>Reconnecting…</source>
        <translation>Reconnexion…</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>Connexion…</translation>
    </message>
</context>
<context>
    <name>CallCard</name>
    <message>
        <source>Take up the call with {name}</source>
        <translation>Reprendre l’appel avec {name}</translation>
    </message>
    <message>
        <source>Show the call with {name}</source>
        <translation>Afficher l’appel avec {name}</translation>
    </message>
    <message>
        <source>Drag onto another call to merge them</source>
        <translation>Faites glisser sur un autre appel pour les réunir</translation>
    </message>
</context>
<context>
    <name>CallCards</name>
    <message>
        <source>Calls</source>
        <translation>Appels</translation>
    </message>
    <message>
        <source>Merge calls</source>
        <translation>Réunir les appels</translation>
    </message>
</context>
<context>
    <name>CallsPage</name>
    <message>
        <source>Calls</source>
        <translation>Appels</translation>
    </message>
    <message>
        <source>Search calls</source>
        <translation>Rechercher un appel</translation>
    </message>
    <message>
        <source>Which calls</source>
        <translation>Quels appels</translation>
    </message>
    <message>
        <source>All calls</source>
        <translation>Tous les appels</translation>
    </message>
    <message>
        <source>Missed</source>
        <translation>Manqués</translation>
    </message>
    <message>
        <source>Received</source>
        <translation>Reçus</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>Émis</translation>
    </message>
    <message>
        <source>From when</source>
        <translation>Depuis quand</translation>
    </message>
    <message>
        <source>Any time</source>
        <translation>Toutes les dates</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Aujourd’hui</translation>
    </message>
    <message>
        <source>Last 7 days</source>
        <translation>7 derniers jours</translation>
    </message>
    <message>
        <source>Last 30 days</source>
        <translation>30 derniers jours</translation>
    </message>
    <message>
        <source>Calls you make and get are listed here.</source>
        <translation>Les appels émis et reçus s’affichent ici.</translation>
    </message>
    <message>
        <source>No call fits the search.</source>
        <translation>Aucun appel ne correspond à la recherche.</translation>
    </message>
    <message>
        <source>Unknown caller</source>
        <translation>Correspondant inconnu</translation>
    </message>
    <message>
        <source>Missed call</source>
        <translation>Appel manqué</translation>
    </message>
    <message>
        <source>Went to voicemail</source>
        <translation>Vers la messagerie</translation>
    </message>
    <message>
        <source>Call back</source>
        <translation>Rappeler</translation>
    </message>
    <message>
        <source>Play the recording</source>
        <translation>Écouter l’enregistrement</translation>
    </message>
    <message>
        <source>Recording with {name}</source>
        <translation>Enregistrement avec {name}</translation>
    </message>
    <message>
        <source>Call</source>
        <translation>Appeler</translation>
    </message>
    <message>
        <source>Call with video</source>
        <translation>Appeler en vidéo</translation>
    </message>
    <message>
        <source>Add to contacts</source>
        <translation>Ajouter aux contacts</translation>
    </message>
    <message>
        <source>Copy number</source>
        <translation>Copier le numéro</translation>
    </message>
</context>
<context>
    <name>CertificateDialog</name>
    <message>
        <source>Its certificate is not signed by an authority that this computer trusts, has expired, or belongs to another name. Somebody between you and the server could listen in.</source>
        <translation>Son certificat n’est pas signé par une autorité reconnue par cet ordinateur, a expiré ou appartient à un autre nom. Quelqu’un placé entre vous et le serveur pourrait vous écouter.</translation>
    </message>
    <message>
        <source>Go on only if you run this server yourself, or its owner told you this fingerprint on another way.</source>
        <translation>Ne continuez que si ce serveur est le vôtre ou si son propriétaire vous a communiqué cette empreinte par un autre moyen.</translation>
    </message>
    <message>
        <source>Fingerprint of the certificate</source>
        <translation>Empreinte du certificat</translation>
    </message>
    <message>
        <source>I have compared the fingerprint</source>
        <translation>J’ai comparé l’empreinte</translation>
    </message>
    <message>
        <source>Do not connect</source>
        <translation>Ne pas se connecter</translation>
    </message>
    <message>
        <source>Trust this certificate</source>
        <translation>Faire confiance à ce certificat</translation>
    </message>
    <message>
        <source>Compare the fingerprint first</source>
        <translation>Comparez d’abord l’empreinte</translation>
    </message>
</context>
<context>
    <name>ChatList</name>
    <message>
        <source>Messages</source>
        <translation>Messages</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Message</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>Renvoyer</translation>
    </message>
    <message>
        <source>Reply</source>
        <translation>Répondre</translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>Copier le texte</translation>
    </message>
    <message>
        <source>Write privately to {name}</source>
        <translation>Écrire en privé à {name}</translation>
    </message>
    <message>
        <source>Open {link}</source>
        <translation>Ouvrir {link}</translation>
    </message>
    <message>
        <source>React with {emoji}</source>
        <translation>Réagir avec {emoji}</translation>
    </message>
    <message>
        <source>Another reaction…</source>
        <translation>Autre réaction…</translation>
    </message>
</context>
<context>
    <name>ChatPage</name>
    <message>
        <source>Chat</source>
        <translation>Discussion</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>Conversations</translation>
    </message>
    <message>
        <source>Write to somebody from your contacts.</source>
        <translation>Écrivez à quelqu’un depuis vos contacts.</translation>
    </message>
    <message>
        <source>Choose a conversation.</source>
        <translation>Choisissez une conversation.</translation>
    </message>
    <message numerus="yes">
        <source>%n unread message(s)</source>
        <translation>
            <numerusform>%n message non lu</numerusform>
            <numerusform>%n messages non lus</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Conversation of %n people</source>
        <translation>
            <numerusform>Conversation de %n personne</numerusform>
            <numerusform>Conversation de %n personnes</numerusform>
        </translation>
    </message>
    <message>
        <source>Call</source>
        <translation>Appeler</translation>
    </message>
    <message>
        <source>No number is known for {name}.</source>
        <translation>Aucun numéro n’est connu pour {name}.</translation>
    </message>
</context>
<context>
    <name>ChatPanel</name>
    <message>
        <source>Chat</source>
        <translation>Discussion</translation>
    </message>
    <message>
        <source>No messages yet. What is written here is seen by everybody.</source>
        <translation>Aucun message pour l’instant. Ce qui est écrit ici est visible par tous.</translation>
    </message>
    <message>
        <source>New messages</source>
        <translation>Nouveaux messages</translation>
    </message>
    <message>
        <source>Send to</source>
        <translation>Destinataire</translation>
    </message>
    <message>
        <source>Cancel reply</source>
        <translation>Annuler la réponse</translation>
    </message>
    <message>
        <source>Write a message</source>
        <translation>Écrire un message</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Message</translation>
    </message>
    <message>
        <source>Enter sends, Shift+Enter starts a new line</source>
        <translation>Entrée envoie, Maj+Entrée passe à la ligne</translation>
    </message>
    <message>
        <source>Add emoji</source>
        <translation>Ajouter un émoji</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Envoyer</translation>
    </message>
    <message>
        <source>To</source>
        <translation>À</translation>
    </message>
    <message>
        <source>Private message from {name}: {text}</source>
        <translation>Message privé de {name}&#xa0;: {text}</translation>
    </message>
    <message>
        <source>{name}: {text}</source>
        <translation>{name}&#xa0;: {text}</translation>
    </message>
    <message>
        <source>Everyone</source>
        <translation>Tout le monde</translation>
    </message>
    <message>
        <source>The person you were writing to has left. Choose who gets the message.</source>
        <translation>La personne à qui vous écriviez est partie. Choisissez qui reçoit le message.</translation>
    </message>
    <message>
        <source>Only {name} will see this message.</source>
        <translation>Seul le destinataire, {name}, verra ce message.</translation>
    </message>
    <message>
        <source>Write privately to {name}</source>
        <translation>Écrire en privé à {name}</translation>
    </message>
    <message>
        <source>Write a message first</source>
        <translation>Écrivez d’abord un message</translation>
    </message>
    <message>
        <source>Replying to {name}</source>
        <translation>Réponse à {name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>Nouveau</translation>
    </message>
    <message>
        <source>Private to {name}</source>
        <translation>En privé à {name}</translation>
    </message>
    <message>
        <source>private · {time}</source>
        <translation>privé · {time}</translation>
    </message>
    <message>
        <source>This message was removed</source>
        <translation>Ce message a été supprimé</translation>
    </message>
    <message>
        <source>Show less</source>
        <translation>Réduire</translation>
    </message>
    <message>
        <source>Show more</source>
        <translation>Afficher la suite</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>Réessayer</translation>
    </message>
    <message>
        <source>Someone</source>
        <translation>Quelqu’un</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Vous</translation>
    </message>
    <message>
        <source>You, privately to {name}</source>
        <translation>Vous, en privé à {name}</translation>
    </message>
    <message>
        <source>{name}, privately</source>
        <translation>{name}, en privé</translation>
    </message>
</context>
<context>
    <name>ContactDialog</name>
    <message>
        <source>Add contact</source>
        <translation>Ajouter un contact</translation>
    </message>
    <message>
        <source>Edit contact</source>
        <translation>Modifier le contact</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>Number</source>
        <translation>Numéro</translation>
    </message>
    <message>
        <source>Mobile number</source>
        <translation>Numéro mobile</translation>
    </message>
    <message>
        <source>E-mail</source>
        <translation>E-mail</translation>
    </message>
    <message>
        <source>Company</source>
        <translation>Société</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Enregistrer</translation>
    </message>
    <message>
        <source>Type a name first</source>
        <translation>Saisissez d’abord un nom</translation>
    </message>
</context>
<context>
    <name>DevicePicker</name>
    <message>
        <source>Microphone</source>
        <translation>Micro</translation>
    </message>
    <message>
        <source>Speaker</source>
        <translation>Haut-parleur</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Caméra</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>Chercher à nouveau</translation>
    </message>
    <message>
        <source>No camera found. A test picture is sent instead.</source>
        <translation>Aucune caméra trouvée. Une mire est envoyée à la place.</translation>
    </message>
    <message>
        <source>No microphone found. A test tone is sent instead.</source>
        <translation>Aucun micro trouvé. Une tonalité de test est envoyée à la place.</translation>
    </message>
    <message>
        <source>Not plugged in; using the system&apos;s default</source>
        <translation>Débranché&#x202f;; le périphérique par défaut est utilisé</translation>
    </message>
    <message>
        <source>System default</source>
        <translation>Par défaut du système</translation>
    </message>
    <message>
        <source>System default ({name})</source>
        <translation>Par défaut ({name})</translation>
    </message>
</context>
<context>
    <name>Devices</name>
    <message>
        <source>No microphone found. Plug one in, or join to listen.</source>
        <translation>Aucun micro trouvé. Branchez-en un, ou rejoignez la réunion pour écouter.</translation>
    </message>
    <message>
        <source>No loudspeaker or headphones found. Plug some in to hear the meeting.</source>
        <translation>Aucun haut-parleur ni casque trouvé. Branchez-en un pour entendre la réunion.</translation>
    </message>
    <message>
        <source>No camera found. Others will see your initials.</source>
        <translation>Aucune caméra trouvée. Les autres verront vos initiales.</translation>
    </message>
    <message>
        <source>microphone</source>
        <translation>le micro</translation>
    </message>
    <message>
        <source>camera</source>
        <translation>la caméra</translation>
    </message>
    <message>
        <source>screen</source>
        <translation>l’écran</translation>
    </message>
    <message>
        <source>speaker</source>
        <translation>le haut-parleur</translation>
    </message>
    <message>
        <source>The {what} is not there any more. Plug it in again or choose another one.</source>
        <translation>Impossible de trouver {what}. Vérifiez le branchement ou faites un autre choix.</translation>
    </message>
    <message>
        <source>Parley may not use the {what}. Allow it in the system&apos;s privacy settings, then try again.</source>
        <translation>Parley n’a pas le droit d’utiliser {what}. Autorisez-le dans les réglages de confidentialité du système, puis réessayez.</translation>
    </message>
    <message>
        <source>Another program uses the {what}. Close it, then try again.</source>
        <translation>Un autre programme utilise {what}. Fermez-le, puis réessayez.</translation>
    </message>
    <message>
        <source>The {what} does not offer the chosen picture size. Choose another size in the settings.</source>
        <translation>La taille d’image choisie n’est pas disponible pour {what}. Choisissez-en une autre dans les paramètres.</translation>
    </message>
    <message>
        <source>The {what} cannot do what the settings ask of it. Change them, then try again.</source>
        <translation>Les paramètres demandés ne conviennent pas pour {what}. Modifiez-les, puis réessayez.</translation>
    </message>
    <message>
        <source>The {what} was not started.</source>
        <translation>Vous n’avez pas démarré {what}.</translation>
    </message>
    <message>
        <source>The {what} did not start. Try again or choose another one.</source>
        <translation>Impossible de démarrer {what}. Réessayez ou faites un autre choix.</translation>
    </message>
    <message>
        <source>The camera gives {fps} pictures a second, fewer than the minimum frame rate of the settings.</source>
        <translation>La caméra fournit {fps} images par seconde, moins que le minimum choisi dans les paramètres.</translation>
    </message>
    <message>
        <source>The camera gives {width} × {height} at most, less than the settings ask for.</source>
        <translation>La caméra fournit au plus {width} × {height}, moins que le choix des paramètres.</translation>
    </message>
    <message>
        <source>The camera is still starting…</source>
        <translation>La caméra démarre toujours…</translation>
    </message>
    <message>
        <source>The device is still starting…</source>
        <translation>Le périphérique démarre toujours…</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>L’utiliser</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Ignorer</translation>
    </message>
    <message>
        <source>Listening to all microphones… Say something.</source>
        <translation>Écoute de tous les micros… Dites quelque chose.</translation>
    </message>
    <message>
        <source>None of the microphones hears anything.</source>
        <translation>Aucun micro ne capte de son.</translation>
    </message>
    <message>
        <source>Sound comes from “{name}”. Use it?</source>
        <translation>Le son vient de «&#xa0;{name}&#xa0;». L’utiliser&#x202f;?</translation>
    </message>
    <message>
        <source>“{name}” was plugged in. Use it?</source>
        <translation>«&#xa0;{name}&#xa0;» vient d’être branché. L’utiliser&#x202f;?</translation>
    </message>
    <message>
        <source>“{name}” belongs to the same headset. Use it as well?</source>
        <translation>«&#xa0;{name}&#xa0;» fait partie du même casque. L’utiliser aussi&#x202f;?</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Réessayer</translation>
    </message>
    <message>
        <source>Show details</source>
        <translation>Afficher les détails</translation>
    </message>
    <message>
        <source>Hide details</source>
        <translation>Masquer les détails</translation>
    </message>
    <message>
        <source>Use {size}</source>
        <translation>Passer à {size}</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Erreur</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Message</translation>
    </message>
    <message>
        <source>System&apos;s error</source>
        <translation>Erreur du système</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Périphérique</translation>
    </message>
    <message>
        <source>Asked for</source>
        <translation>Demandé</translation>
    </message>
</context>
<context>
    <name>DialPane</name>
    <message>
        <source>Dial</source>
        <translation>Composer</translation>
    </message>
    <message>
        <source>Number, name or SIP address</source>
        <translation>Numéro, nom ou adresse SIP</translation>
    </message>
    <message>
        <source>Call</source>
        <translation>Appeler</translation>
    </message>
    <message>
        <source>Call with video</source>
        <translation>Appeler en vidéo</translation>
    </message>
    <message>
        <source>Erase the last digit</source>
        <translation>Effacer le dernier chiffre</translation>
    </message>
    <message>
        <source>star</source>
        <translation>étoile</translation>
    </message>
    <message>
        <source>hash</source>
        <translation>dièse</translation>
    </message>
    <message>
        <source>Type a number or name first</source>
        <translation>Saisissez d’abord un numéro ou un nom</translation>
    </message>
</context>
<context>
    <name>Dialog</name>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
</context>
<context>
    <name>Dialogs</name>
    <message>
        <source>About Parley</source>
        <translation>À propos de Parley</translation>
    </message>
    <message>
        <source>This server cannot prove who it is</source>
        <translation>Ce serveur ne peut pas prouver son identité</translation>
    </message>
    <message>
        <source>End the meeting for everyone?</source>
        <translation>Terminer la réunion pour tout le monde&#x202f;?</translation>
    </message>
    <message>
        <source>Leave without a moderator?</source>
        <translation>Partir sans laisser de modérateur&#x202f;?</translation>
    </message>
    <message>
        <source>Leave this meeting?</source>
        <translation>Quitter cette réunion&#x202f;?</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>Exclure {name}&#x202f;?</translation>
    </message>
    <message>
        <source>Lock the meeting</source>
        <translation>Verrouiller la réunion</translation>
    </message>
    <message>
        <source>Change your name</source>
        <translation>Changer votre nom</translation>
    </message>
    <message>
        <source>Share your screen</source>
        <translation>Partager votre écran</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Raccourcis clavier</translation>
    </message>
</context>
<context>
    <name>DirectoryPage</name>
    <message>
        <source>Contacts</source>
        <translation>Contacts</translation>
    </message>
    <message>
        <source>Search contacts</source>
        <translation>Rechercher un contact</translation>
    </message>
    <message>
        <source>Name, number or e-mail</source>
        <translation>Nom, numéro ou e-mail</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Tous</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>Favoris</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>Personnels</translation>
    </message>
    <message>
        <source>Add contact</source>
        <translation>Ajouter un contact</translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>Importer et exporter</translation>
    </message>
    <message>
        <source>There are no contacts yet.</source>
        <translation>Il n’y a pas encore de contact.</translation>
    </message>
    <message>
        <source>Mark people with the star, and they are here.</source>
        <translation>Marquez des personnes d’une étoile, elles seront ici.</translation>
    </message>
    <message>
        <source>Contacts that only you see are here. Add one or import a file.</source>
        <translation>Les contacts que vous seul voyez sont ici. Ajoutez-en un ou importez un fichier.</translation>
    </message>
    <message>
        <source>Nobody fits the search.</source>
        <translation>Personne ne correspond à la recherche.</translation>
    </message>
    <message>
        <source>Remove from favourites</source>
        <translation>Retirer des favoris</translation>
    </message>
    <message>
        <source>Add to favourites</source>
        <translation>Ajouter aux favoris</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Discussion</translation>
    </message>
    <message>
        <source>Call with video</source>
        <translation>Appeler en vidéo</translation>
    </message>
    <message>
        <source>Call</source>
        <translation>Appeler</translation>
    </message>
    <message>
        <source>This contact has no number.</source>
        <translation>Ce contact n’a pas de numéro.</translation>
    </message>
    <message>
        <source>Contact</source>
        <translation>Contact</translation>
    </message>
    <message>
        <source>Call {number}</source>
        <translation>Appeler {number}</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Modifier</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>Delete this contact?</source>
        <translation>Supprimer ce contact ?</translation>
    </message>
    <message>
        <source>{name} is removed from your personal contacts.</source>
        <translation>{name} est retiré de vos contacts personnels.</translation>
    </message>
    <message>
        <source>Import from a file…</source>
        <translation>Importer un fichier…</translation>
    </message>
    <message>
        <source>Export as vCard…</source>
        <translation>Exporter en vCard…</translation>
    </message>
    <message>
        <source>Export as CSV…</source>
        <translation>Exporter en CSV…</translation>
    </message>
    <message>
        <source>Import contacts</source>
        <translation>Importer des contacts</translation>
    </message>
    <message>
        <source>Contacts (*.vcf *.csv)</source>
        <translation>Contacts (*.vcf *.csv)</translation>
    </message>
    <message>
        <source>This file is too large to be a list of contacts.</source>
        <translation>Ce fichier est trop grand pour une liste de contacts.</translation>
    </message>
    <message>
        <source>The file could not be read: {why}</source>
        <translation>Le fichier n’a pas pu être lu : {why}</translation>
    </message>
    <message>
        <source>The contacts were imported.</source>
        <translation>Les contacts ont été importés.</translation>
    </message>
    <message>
        <source>Export contacts</source>
        <translation>Exporter les contacts</translation>
    </message>
    <message>
        <source>The file could not be written: {why}</source>
        <translation>Le fichier n’a pas pu être écrit : {why}</translation>
    </message>
    <message numerus="yes">
        <source>%n contact(s) exported</source>
        <translation>
            <numerusform>%n contact exporté</numerusform>
            <numerusform>%n contacts exportés</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Emoji</name>
    <message>
        <source>thumbs up</source>
        <translation>pouce levé</translation>
    </message>
    <message>
        <source>thumbs down</source>
        <translation>pouce baissé</translation>
    </message>
    <message>
        <source>clapping</source>
        <translation>applaudissements</translation>
    </message>
    <message>
        <source>raised hands</source>
        <translation>mains levées</translation>
    </message>
    <message>
        <source>waving</source>
        <translation>coucou</translation>
    </message>
    <message>
        <source>thank you</source>
        <translation>merci</translation>
    </message>
    <message>
        <source>strong</source>
        <translation>fort</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>d’accord</translation>
    </message>
    <message>
        <source>victory</source>
        <translation>victoire</translation>
    </message>
    <message>
        <source>handshake</source>
        <translation>poignée de main</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fait</translation>
    </message>
    <message>
        <source>no</source>
        <translation>non</translation>
    </message>
    <message>
        <source>heart</source>
        <translation>cœur</translation>
    </message>
    <message>
        <source>broken heart</source>
        <translation>cœur brisé</translation>
    </message>
    <message>
        <source>fire</source>
        <translation>feu</translation>
    </message>
    <message>
        <source>sparkles</source>
        <translation>étincelles</translation>
    </message>
    <message>
        <source>party</source>
        <translation>fête</translation>
    </message>
    <message>
        <source>rocket</source>
        <translation>fusée</translation>
    </message>
    <message>
        <source>smiling</source>
        <translation>sourire</translation>
    </message>
    <message>
        <source>grinning</source>
        <translation>grand sourire</translation>
    </message>
    <message>
        <source>tears of joy</source>
        <translation>larmes de joie</translation>
    </message>
    <message>
        <source>rolling with laughter</source>
        <translation>mort de rire</translation>
    </message>
    <message>
        <source>blushing</source>
        <translation>joues rouges</translation>
    </message>
    <message>
        <source>winking</source>
        <translation>clin d’œil</translation>
    </message>
    <message>
        <source>heart eyes</source>
        <translation>yeux en cœur</translation>
    </message>
    <message>
        <source>cool</source>
        <translation>cool</translation>
    </message>
    <message>
        <source>thinking</source>
        <translation>réflexion</translation>
    </message>
    <message>
        <source>surprised</source>
        <translation>surpris</translation>
    </message>
    <message>
        <source>crying</source>
        <translation>pleurs</translation>
    </message>
    <message>
        <source>sobbing</source>
        <translation>sanglots</translation>
    </message>
    <message>
        <source>angry</source>
        <translation>en colère</translation>
    </message>
    <message>
        <source>sleeping</source>
        <translation>endormi</translation>
    </message>
    <message>
        <source>mind blown</source>
        <translation>époustouflé</translation>
    </message>
    <message>
        <source>relieved</source>
        <translation>soulagé</translation>
    </message>
    <message>
        <source>not looking</source>
        <translation>yeux cachés</translation>
    </message>
    <message>
        <source>shrugging</source>
        <translation>haussement d’épaules</translation>
    </message>
    <message>
        <source>eyes</source>
        <translation>yeux</translation>
    </message>
    <message>
        <source>idea</source>
        <translation>idée</translation>
    </message>
    <message>
        <source>question</source>
        <translation>question</translation>
    </message>
    <message>
        <source>exclamation</source>
        <translation>exclamation</translation>
    </message>
    <message>
        <source>alarm clock</source>
        <translation>réveil</translation>
    </message>
    <message>
        <source>coffee</source>
        <translation>café</translation>
    </message>
    <message>
        <source>pizza</source>
        <translation>pizza</translation>
    </message>
    <message>
        <source>cake</source>
        <translation>gâteau</translation>
    </message>
    <message>
        <source>gift</source>
        <translation>cadeau</translation>
    </message>
    <message>
        <source>star</source>
        <translation>étoile</translation>
    </message>
    <message>
        <source>pin</source>
        <translation>punaise</translation>
    </message>
    <message>
        <source>paper clip</source>
        <translation>trombone</translation>
    </message>
</context>
<context>
    <name>EmojiPicker</name>
    <message>
        <source>Emoji</source>
        <translation>Émojis</translation>
    </message>
    <message>
        <source>Search emoji</source>
        <translation>Chercher un émoji</translation>
    </message>
</context>
<context>
    <name>EndForAllDialog</name>
    <message>
        <source>All participants are disconnected.</source>
        <translation>Tous les participants seront déconnectés.</translation>
    </message>
    <message>
        <source>End for everyone</source>
        <translation>Terminer pour tous</translation>
    </message>
</context>
<context>
    <name>FailureView</name>
    <message>
        <source>Try again</source>
        <translation>Réessayer</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Retour</translation>
    </message>
    <message>
        <source>About this certificate</source>
        <translation>À propos de ce certificat</translation>
    </message>
    <message>
        <source>Show details</source>
        <translation>Afficher les détails</translation>
    </message>
    <message>
        <source>Copy details</source>
        <translation>Copier les détails</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Détails</translation>
    </message>
    <message>
        <source>Could not join “{title}”</source>
        <translation>Impossible de rejoindre «&#x202f;{title}&#x202f;»</translation>
    </message>
    <message>
        <source>Could not join the meeting</source>
        <translation>Impossible de rejoindre la réunion</translation>
    </message>
    <message>
        <source>Hide details</source>
        <translation>Masquer les détails</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Copié</translation>
    </message>
</context>
<context>
    <name>FaxSection</name>
    <message>
        <source>Fax</source>
        <translation>Fax</translation>
    </message>
    <message>
        <source>Fax number</source>
        <translation>Numéro de fax</translation>
    </message>
    <message>
        <source>PDF file</source>
        <translation>Fichier PDF</translation>
    </message>
    <message>
        <source>Choose file…</source>
        <translation>Choisir un fichier…</translation>
    </message>
    <message>
        <source>Send fax</source>
        <translation>Envoyer le fax</translation>
    </message>
    <message>
        <source>Choose a file and type a number first</source>
        <translation>Choisissez d’abord un fichier et saisissez un numéro</translation>
    </message>
    <message>
        <source>Choose a PDF file</source>
        <translation>Choisir un fichier PDF</translation>
    </message>
    <message>
        <source>Sending</source>
        <translation>Envoi</translation>
    </message>
    <message>
        <source>Sent</source>
        <translation>Envoyé</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Échec</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>Réessayer</translation>
    </message>
</context>
<context>
    <name>ForwardRow</name>
    <message>
        <source>Forward to</source>
        <translation>Renvoyer vers</translation>
    </message>
    <message>
        <source>Number</source>
        <translation>Numéro</translation>
    </message>
</context>
<context>
    <name>HomeView</name>
    <message>
        <source>Join a meeting</source>
        <translation>Rejoindre une réunion</translation>
    </message>
    <message>
        <source>Try a demo meeting</source>
        <translation>Essayer une réunion de démonstration</translation>
    </message>
    <message>
        <source>Meetings you join are listed here, one click away from the next time.</source>
        <translation>Les réunions que vous rejoignez apparaissent ici, à un clic de la prochaine fois.</translation>
    </message>
    <message>
        <source>Starting the demo…</source>
        <translation>Démarrage de la démonstration…</translation>
    </message>
</context>
<context>
    <name>IncomingWindow</name>
    <message>
        <source>Incoming call</source>
        <translation>Appel entrant</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>Refuser</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Répondre</translation>
    </message>
    <message>
        <source>Video</source>
        <translation>Vidéo</translation>
    </message>
    <message>
        <source>Answer with video</source>
        <translation>Répondre en vidéo</translation>
    </message>
    <message>
        <source>More ways to deal with this call</source>
        <translation>Autres façons de traiter cet appel</translation>
    </message>
    <message>
        <source>Video call</source>
        <translation>Appel vidéo</translation>
    </message>
    <message>
        <source>Forwarded by {name}</source>
        <translation>Renvoyé par {name}</translation>
    </message>
    <message>
        <source>To {line} on {server}</source>
        <translation>Vers {line} sur {server}</translation>
    </message>
    <message>
        <source>To {line}</source>
        <translation>Vers {line}</translation>
    </message>
    <message>
        <source>Send to voicemail</source>
        <translation>Envoyer vers la messagerie</translation>
    </message>
    <message>
        <source>Redirect to a number…</source>
        <translation>Rediriger vers un numéro…</translation>
    </message>
    <message>
        <source>Stop ringing here</source>
        <translation>Ne plus sonner ici</translation>
    </message>
    <message>
        <source>Redirect this call</source>
        <translation>Rediriger cet appel</translation>
    </message>
    <message>
        <source>Redirect</source>
        <translation>Rediriger</translation>
    </message>
</context>
<context>
    <name>JoinArea</name>
    <message>
        <source>Join</source>
        <translation>Rejoindre</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>More ways to join</source>
        <translation>Autres façons de rejoindre</translation>
    </message>
    <message>
        <source>Opens a menu</source>
        <translation>Ouvre un menu</translation>
    </message>
    <message>
        <source>Join without sound (another device in this room)</source>
        <translation>Rejoindre sans le son (autre appareil dans la pièce)</translation>
    </message>
    <message>
        <source>Join without video (saves data)</source>
        <translation>Rejoindre sans vidéo (économise les données)</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>Connexion…</translation>
    </message>
    <message>
        <source>Sign in and join</source>
        <translation>Se connecter et rejoindre</translation>
    </message>
</context>
<context>
    <name>KeypadPanel</name>
    <message>
        <source>Keypad</source>
        <translation>Clavier</translation>
    </message>
    <message>
        <source>star</source>
        <translation>étoile</translation>
    </message>
    <message>
        <source>hash</source>
        <translation>dièse</translation>
    </message>
</context>
<context>
    <name>KickDialog</name>
    <message>
        <source>They are disconnected at once and read your reason.</source>
        <translation>Cette personne est déconnectée aussitôt et lit votre motif.</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>Motif</translation>
    </message>
    <message>
        <source>Reason (optional)</source>
        <translation>Motif (facultatif)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Exclure</translation>
    </message>
</context>
<context>
    <name>LastModeratorDialog</name>
    <message>
        <source>You are the only moderator. The others can go on without you, or you end the meeting.</source>
        <translation>Vous êtes le seul modérateur. Les autres peuvent continuer sans vous, ou vous terminez la réunion.</translation>
    </message>
    <message>
        <source>Stay</source>
        <translation>Rester</translation>
    </message>
    <message>
        <source>End for everyone</source>
        <translation>Terminer pour tous</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Quitter</translation>
    </message>
</context>
<context>
    <name>LeaveButton</name>
    <message>
        <source>&amp;Leave</source>
        <translation>&amp;Quitter</translation>
    </message>
    <message>
        <source>More ways to leave</source>
        <translation>Autres façons de quitter</translation>
    </message>
    <message>
        <source>Leave the meeting</source>
        <translation>Quitter la réunion</translation>
    </message>
</context>
<context>
    <name>LeftView</name>
    <message>
        <source>Rejoin</source>
        <translation>Rejoindre à nouveau</translation>
    </message>
    <message>
        <source>Back to start</source>
        <translation>Retour à l’accueil</translation>
    </message>
    <message>
        <source>How was the meeting?</source>
        <translation>Comment s’est passée la réunion&#x202f;?</translation>
    </message>
    <message>
        <source>You left {meeting}</source>
        <translation>Vous avez quitté {meeting}</translation>
    </message>
    <message>
        <source>You left</source>
        <translation>Vous êtes parti</translation>
    </message>
    <message>
        <source>The meeting is over for you</source>
        <translation>La réunion est terminée pour vous</translation>
    </message>
    <message>
        <source>The reason given: {reason}</source>
        <translation>Motif indiqué&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>You were in it for less than a minute.</source>
        <translation>Vous y êtes resté moins d’une minute.</translation>
    </message>
    <message numerus="yes">
        <source>You were in it for %n minute(s).</source>
        <translation>
            <numerusform>Vous y êtes resté %n minute.</numerusform>
            <numerusform>Vous y êtes resté %n minutes.</numerusform>
        </translation>
    </message>
    <message>
        <source>You were in it for {duration} h.</source>
        <translation>Vous y êtes resté {duration} h.</translation>
    </message>
    <message>
        <source>Noted on this computer. Thank you.</source>
        <translation>Noté sur cet ordinateur. Merci.</translation>
    </message>
</context>
<context>
    <name>Listing</name>
    <message>
        <source>Try again</source>
        <translation>Réessayer</translation>
    </message>
</context>
<context>
    <name>LockDialog</name>
    <message>
        <source>Newcomers need this password. Those who are in stay in.</source>
        <translation>Les nouveaux venus devront donner ce mot de passe. Ceux qui sont là restent.</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Mot de passe</translation>
    </message>
    <message>
        <source>Lock</source>
        <translation>Verrouiller</translation>
    </message>
    <message>
        <source>Enter a password first</source>
        <translation>Saisissez d’abord un mot de passe</translation>
    </message>
    <message>
        <source>Meeting password</source>
        <translation>Mot de passe de la réunion</translation>
    </message>
    <message>
        <source>Newcomers must give the password. Those who are here already stay.</source>
        <translation>Les nouveaux venus devront donner le mot de passe. Ceux qui sont déjà là restent.</translation>
    </message>
    <message>
        <source>The meeting has a password. You can set another one or remove it.</source>
        <translation>La réunion a un mot de passe. Vous pouvez en choisir un autre ou le retirer.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Remove password</source>
        <translation>Retirer le mot de passe</translation>
    </message>
    <message>
        <source>Set password</source>
        <translation>Définir le mot de passe</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Link copied</source>
        <translation>Lien copié</translation>
    </message>
    <message>
        <source>Meeting</source>
        <translation>Réunion</translation>
    </message>
    <message>
        <source>The meeting could not be joined. Try again.</source>
        <translation>La réunion n’a pas pu être rejointe. Réessayez.</translation>
    </message>
    <message>
        <source>Video meeting</source>
        <translation>Visioconférence</translation>
    </message>
</context>
<context>
    <name>MeetingDialog</name>
    <message>
        <source>New meeting</source>
        <translation>Nouvelle réunion</translation>
    </message>
    <message>
        <source>Change the meeting</source>
        <translation>Modifier la réunion</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>Name of the meeting</source>
        <translation>Nom de la réunion</translation>
    </message>
    <message>
        <source>Keep it after the first time</source>
        <translation>La garder après la première fois</translation>
    </message>
    <message>
        <source>Guests wait until somebody lets them in</source>
        <translation>Les invités attendent d’être admis</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Enregistrer</translation>
    </message>
    <message>
        <source>Type a name first</source>
        <translation>Saisissez d’abord un nom</translation>
    </message>
</context>
<context>
    <name>MeetingField</name>
    <message>
        <source>Meeting link, room, name or number</source>
        <translation>Lien de réunion, salle, nom ou numéro</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Continuer</translation>
    </message>
    <message>
        <source>Type or paste a meeting link, or the name of a room.</source>
        <translation>Saisissez ou collez un lien de réunion, ou le nom d’une salle.</translation>
    </message>
</context>
<context>
    <name>MeetingMenus</name>
    <message>
        <source>Microphone and speaker</source>
        <translation>Micro et haut-parleur</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>Micro</translation>
    </message>
    <message>
        <source>Speaker</source>
        <translation>Haut-parleur</translation>
    </message>
    <message>
        <source>Sound settings…</source>
        <translation>Paramètres du son…</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Caméra</translation>
    </message>
    <message>
        <source>Mirror my own picture</source>
        <translation>Afficher mon image en miroir</translation>
    </message>
    <message>
        <source>Video settings…</source>
        <translation>Paramètres vidéo…</translation>
    </message>
    <message>
        <source>None found</source>
        <translation>Aucun trouvé</translation>
    </message>
    <message>
        <source>System default ({device})</source>
        <translation>Par défaut ({device})</translation>
    </message>
    <message>
        <source>System default</source>
        <translation>Par défaut du système</translation>
    </message>
    <message>
        <source>Reactions</source>
        <translation>Réactions</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Quitter</translation>
    </message>
    <message>
        <source>&amp;Leave the meeting</source>
        <translation>&amp;Quitter la réunion</translation>
    </message>
    <message>
        <source>&amp;End the meeting for all</source>
        <translation>&amp;Terminer la réunion pour tous</translation>
    </message>
    <message>
        <source>More actions</source>
        <translation>Plus d’actions</translation>
    </message>
    <message>
        <source>Leave full &amp;screen</source>
        <translation>Quitter le plein é&amp;cran</translation>
    </message>
    <message>
        <source>Full &amp;screen</source>
        <translation>Plein é&amp;cran</translation>
    </message>
    <message>
        <source>&amp;Copy meeting link</source>
        <translation>C&amp;opier le lien de la réunion</translation>
    </message>
    <message>
        <source>Change the s&amp;ubject…</source>
        <translation>Changer le s&amp;ujet…</translation>
    </message>
    <message>
        <source>Meeting &amp;password…</source>
        <translation>Mot de &amp;passe de la réunion…</translation>
    </message>
    <message>
        <source>&amp;Keypad</source>
        <translation>C&amp;lavier</translation>
    </message>
    <message>
        <source>S&amp;tatistics</source>
        <translation>S&amp;tatistiques</translation>
    </message>
    <message>
        <source>Keyboard s&amp;hortcuts</source>
        <translation>&amp;Raccourcis clavier</translation>
    </message>
    <message>
        <source>Se&amp;ttings</source>
        <translation>P&amp;aramètres</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>Arrêter le partage</translation>
    </message>
    <message>
        <source>Share screen</source>
        <translation>Partager l’écran</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Discussion</translation>
    </message>
    <message>
        <source>Participants</source>
        <translation>Participants</translation>
    </message>
    <message>
        <source>Chat ({count})</source>
        <translation>Discussion ({count})</translation>
    </message>
    <message>
        <source>Show my own picture</source>
        <translation>Afficher ma propre image</translation>
    </message>
    <message>
        <source>Show people without video</source>
        <translation>Afficher les personnes sans vidéo</translation>
    </message>
    <message>
        <source>Show the filmstrip</source>
        <translation>Afficher le bandeau</translation>
    </message>
    <message>
        <source>&amp;Video quality</source>
        <translation>Qualité &amp;vidéo</translation>
    </message>
    <message>
        <source>Video quality</source>
        <translation>Qualité vidéo</translation>
    </message>
    <message>
        <source>Best</source>
        <translation>La meilleure</translation>
    </message>
    <message>
        <source>High (720 lines)</source>
        <translation>Haute (720 lignes)</translation>
    </message>
    <message>
        <source>Standard (360 lines)</source>
        <translation>Standard (360 lignes)</translation>
    </message>
    <message>
        <source>Low (180 lines)</source>
        <translation>Basse (180 lignes)</translation>
    </message>
    <message>
        <source>Sound only</source>
        <translation>Son uniquement</translation>
    </message>
    <message>
        <source>Mute everyone else</source>
        <translation>Couper le micro de tous les autres</translation>
    </message>
    <message>
        <source>Stop everyone else’s camera</source>
        <translation>Couper la caméra de tous les autres</translation>
    </message>
    <message>
        <source>Nobody in this meeting understands tones</source>
        <translation>Personne dans cette réunion ne reçoit les tonalités</translation>
    </message>
    <message>
        <source>Guest</source>
        <translation>Invité</translation>
    </message>
    <message>
        <source>Actions for {name}</source>
        <translation>Actions pour {name}</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Détacher</translation>
    </message>
    <message>
        <source>Pin to the stage</source>
        <translation>Épingler en grand</translation>
    </message>
    <message>
        <source>Hide my own picture</source>
        <translation>Masquer ma propre image</translation>
    </message>
    <message>
        <source>Private message</source>
        <translation>Message privé</translation>
    </message>
    <message>
        <source>Lower hand</source>
        <translation>Baisser la main</translation>
    </message>
    <message>
        <source>Stop this screen</source>
        <translation>Arrêter cet écran</translation>
    </message>
    <message>
        <source>Is off already; only the person can turn it on</source>
        <translation>Déjà coupé&#x202f;; seule cette personne peut rétablir</translation>
    </message>
    <message>
        <source>Mute microphone</source>
        <translation>Couper le micro</translation>
    </message>
    <message>
        <source>Stop camera</source>
        <translation>Couper la caméra</translation>
    </message>
    <message>
        <source>Make moderator</source>
        <translation>Nommer modérateur</translation>
    </message>
    <message>
        <source>Remove from the meeting</source>
        <translation>Exclure de la réunion</translation>
    </message>
    <message>
        <source>Volume of {name}</source>
        <translation>Volume de {name}</translation>
    </message>
</context>
<context>
    <name>MeetingView</name>
    <message>
        <source>Guest</source>
        <translation>Invité</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Vous</translation>
    </message>
    <message>
        <source>Connection lost. Reconnecting…</source>
        <translation>Connexion perdue. Reconnexion…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Connexion…</translation>
    </message>
    <message>
        <source>Leaving…</source>
        <translation>Départ…</translation>
    </message>
    <message>
        <source>You are sharing your screen</source>
        <translation>Vous partagez votre écran</translation>
    </message>
    <message>
        <source>Sound only: videos are off</source>
        <translation>Son uniquement&#xa0;: les vidéos sont coupées</translation>
    </message>
    <message>
        <source>Release Space to mute</source>
        <translation>Relâchez Espace pour couper le micro</translation>
    </message>
    <message>
        <source>Meeting link copied</source>
        <translation>Lien de la réunion copié</translation>
    </message>
</context>
<context>
    <name>Notices</name>
    <message>
        <source>Guest</source>
        <translation>Invité</translation>
    </message>
    <message>
        <source>{name} joined</source>
        <translation>{name} a rejoint la réunion</translation>
    </message>
    <message>
        <source>{name} left</source>
        <translation>{name} a quitté la réunion</translation>
    </message>
    <message>
        <source>{first} and {second} joined</source>
        <translation>{first} et {second} ont rejoint la réunion</translation>
    </message>
    <message>
        <source>{first} and {second} left</source>
        <translation>{first} et {second} ont quitté la réunion</translation>
    </message>
    <message numerus="yes">
        <source>{name} and %n other(s) joined</source>
        <translation>
            <numerusform>{name} et %n autre ont rejoint la réunion</numerusform>
            <numerusform>{name} et %n autres ont rejoint la réunion</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name} and %n other(s) left</source>
        <translation>
            <numerusform>{name} et %n autre ont quitté la réunion</numerusform>
            <numerusform>{name} et %n autres ont quitté la réunion</numerusform>
        </translation>
    </message>
    <message>
        <source>A moderator</source>
        <translation>Un modérateur</translation>
    </message>
    <message>
        <source>{actor} removed {name}</source>
        <translation>{actor} a exclu {name}</translation>
    </message>
    <message>
        <source>{name} raised a hand</source>
        <translation>{name} a levé la main</translation>
    </message>
    <message>
        <source>{name} has connection problems</source>
        <translation>{name} a des problèmes de connexion</translation>
    </message>
    <message>
        <source>You are now a moderator</source>
        <translation>Vous êtes maintenant modérateur</translation>
    </message>
    <message>
        <source>You are no longer a moderator</source>
        <translation>Vous n’êtes plus modérateur</translation>
    </message>
    <message>
        <source>The meeting now needs a password</source>
        <translation>La réunion demande maintenant un mot de passe</translation>
    </message>
    <message>
        <source>The password was removed</source>
        <translation>Le mot de passe a été retiré</translation>
    </message>
    <message>
        <source>{name} (private): {text}</source>
        <translation>{name} (en privé)&#xa0;: {text}</translation>
    </message>
    <message>
        <source>{name}: {text}</source>
        <translation>{name}&#xa0;: {text}</translation>
    </message>
    <message>
        <source>Open chat</source>
        <translation>Ouvrir la discussion</translation>
    </message>
    <message>
        <source>{name} muted your microphone</source>
        <translation>{name} a coupé votre micro</translation>
    </message>
    <message>
        <source>Unmute</source>
        <translation>Activer le micro</translation>
    </message>
    <message>
        <source>{name} stopped your camera</source>
        <translation>{name} a coupé votre caméra</translation>
    </message>
    <message>
        <source>This meeting starts with microphones and cameras off</source>
        <translation>Cette réunion commence micros et caméras coupés</translation>
    </message>
    <message>
        <source>This meeting starts with microphones off</source>
        <translation>Cette réunion commence micros coupés</translation>
    </message>
    <message>
        <source>This meeting starts with cameras off</source>
        <translation>Cette réunion commence caméras coupées</translation>
    </message>
    <message>
        <source>Choose another microphone</source>
        <translation>Choisir un autre micro</translation>
    </message>
    <message>
        <source>You are muted but talking</source>
        <translation>Vous parlez, mais votre micro est coupé</translation>
    </message>
    <message>
        <source>No sound comes from your microphone</source>
        <translation>Aucun son ne vient de votre micro</translation>
    </message>
    <message>
        <source>Your microphone is noisy</source>
        <translation>Votre micro est bruyant</translation>
    </message>
    <message>
        <source>Sound comes from “{name}”. Use it?</source>
        <translation>Le son vient de «&#xa0;{name}&#xa0;». L’utiliser&#x202f;?</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>L’utiliser</translation>
    </message>
</context>
<context>
    <name>NumberDialog</name>
    <message>
        <source>Number</source>
        <translation>Numéro</translation>
    </message>
    <message>
        <source>Number, extension or SIP address</source>
        <translation>Numéro, poste ou adresse SIP</translation>
    </message>
    <message>
        <source>Type a number first</source>
        <translation>Saisissez d’abord un numéro</translation>
    </message>
</context>
<context>
    <name>ParticipantsList</name>
    <message>
        <source>Participants</source>
        <translation>Participants</translation>
    </message>
</context>
<context>
    <name>ParticipantsPanel</name>
    <message>
        <source>Search participants</source>
        <translation>Chercher un participant</translation>
    </message>
    <message>
        <source>Nobody here has that name.</source>
        <translation>Personne ici ne porte ce nom.</translation>
    </message>
    <message>
        <source>Copy invite link</source>
        <translation>Copier le lien d’invitation</translation>
    </message>
    <message>
        <source>Meeting controls</source>
        <translation>Contrôles de la réunion</translation>
    </message>
    <message>
        <source>Participants ({count})</source>
        <translation>Participants ({count})</translation>
    </message>
    <message numerus="yes">
        <source>%n participant(s) found</source>
        <translation>
            <numerusform>%n participant trouvé</numerusform>
            <numerusform>%n participants trouvés</numerusform>
        </translation>
    </message>
    <message>
        <source>Link copied</source>
        <translation>Lien copié</translation>
    </message>
    <message>
        <source>Show large</source>
        <translation>Afficher en grand</translation>
    </message>
    <message>
        <source>Change name…</source>
        <translation>Changer de nom…</translation>
    </message>
    <message>
        <source>Write privately</source>
        <translation>Écrire en privé</translation>
    </message>
    <message>
        <source>Volume for me</source>
        <translation>Volume pour moi</translation>
    </message>
    <message>
        <source>Volume of {name}</source>
        <translation>Volume de {name}</translation>
    </message>
    <message>
        <source>Already off; only they can turn it on again</source>
        <translation>Déjà coupé&#x202f;; seule cette personne peut rétablir</translation>
    </message>
    <message>
        <source>Mute</source>
        <translation>Couper le micro</translation>
    </message>
    <message>
        <source>Turn camera off</source>
        <translation>Couper la caméra</translation>
    </message>
    <message>
        <source>Stop their screen share</source>
        <translation>Arrêter son partage d’écran</translation>
    </message>
    <message>
        <source>Lower hand</source>
        <translation>Baisser la main</translation>
    </message>
    <message>
        <source>Take moderator rights</source>
        <translation>Retirer les droits de modérateur</translation>
    </message>
    <message>
        <source>Make moderator</source>
        <translation>Nommer modérateur</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Exclure…</translation>
    </message>
    <message>
        <source>Mute everyone else</source>
        <translation>Couper le micro de tous les autres</translation>
    </message>
    <message>
        <source>Turn everyone else&apos;s camera off</source>
        <translation>Couper la caméra de tous les autres</translation>
    </message>
    <message>
        <source>On entry</source>
        <translation>À l’arrivée</translation>
    </message>
    <message>
        <source>Newcomers start muted</source>
        <translation>Les nouveaux arrivent micro coupé</translation>
    </message>
    <message>
        <source>Newcomers start without camera</source>
        <translation>Les nouveaux arrivent sans caméra</translation>
    </message>
    <message>
        <source>Unlock the meeting</source>
        <translation>Déverrouiller la réunion</translation>
    </message>
    <message>
        <source>Change the password…</source>
        <translation>Changer le mot de passe…</translation>
    </message>
    <message>
        <source>Lock with a password…</source>
        <translation>Verrouiller par un mot de passe…</translation>
    </message>
    <message>
        <source>{name} (you)</source>
        <translation>{name} (vous)</translation>
    </message>
    <message>
        <source>Moderator</source>
        <translation>Modérateur</translation>
    </message>
    <message>
        <source>Connection interrupted</source>
        <translation>Connexion interrompue</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>Moi</translation>
    </message>
    <message>
        <source>Guest</source>
        <translation>Invité</translation>
    </message>
    <message>
        <source>you</source>
        <translation>vous</translation>
    </message>
    <message>
        <source>hand raised, number {place}</source>
        <translation>main levée, numéro {place}</translation>
    </message>
    <message>
        <source>moderator</source>
        <translation>modérateur</translation>
    </message>
    <message>
        <source>automatic participant</source>
        <translation>participant automatique</translation>
    </message>
    <message>
        <source>microphone on</source>
        <translation>micro activé</translation>
    </message>
    <message>
        <source>microphone off</source>
        <translation>micro coupé</translation>
    </message>
    <message>
        <source>camera on</source>
        <translation>caméra activée</translation>
    </message>
    <message>
        <source>camera off</source>
        <translation>caméra coupée</translation>
    </message>
    <message>
        <source>sharing the screen</source>
        <translation>partage l’écran</translation>
    </message>
    <message>
        <source>speaking</source>
        <translation>parle</translation>
    </message>
    <message>
        <source>connection interrupted</source>
        <translation>connexion interrompue</translation>
    </message>
</context>
<context>
    <name>PasswordField</name>
    <message>
        <source>Show password</source>
        <translation>Afficher le mot de passe</translation>
    </message>
    <message>
        <source>Hide password</source>
        <translation>Masquer le mot de passe</translation>
    </message>
</context>
<context>
    <name>Phone</name>
    <message>
        <source>Unknown caller</source>
        <translation>Correspondant inconnu</translation>
    </message>
    <message>
        <source>Do not disturb</source>
        <translation>Ne pas déranger</translation>
    </message>
    <message>
        <source>Phone is ringing</source>
        <translation>Son téléphone sonne</translation>
    </message>
    <message>
        <source>Calling somebody</source>
        <translation>Appelle quelqu’un</translation>
    </message>
    <message>
        <source>In a call</source>
        <translation>En communication</translation>
    </message>
    <message>
        <source>In a call, on hold</source>
        <translation>En communication, en attente</translation>
    </message>
    <message>
        <source>Available</source>
        <translation>Disponible</translation>
    </message>
    <message>
        <source>Away</source>
        <translation>Absent</translation>
    </message>
    <message>
        <source>Busy</source>
        <translation>Occupé</translation>
    </message>
    <message>
        <source>Invisible</source>
        <translation>Invisible</translation>
    </message>
    <message>
        <source>Unavailable</source>
        <translation>Indisponible</translation>
    </message>
    <message>
        <source>Signed out</source>
        <translation>Déconnecté</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>Connexion…</translation>
    </message>
    <message>
        <source>Sign in again</source>
        <translation>Se reconnecter</translation>
    </message>
    <message>
        <source>Not signed in</source>
        <translation>Non connecté</translation>
    </message>
    <message>
        <source>Ready for calls</source>
        <translation>Prêt pour les appels</translation>
    </message>
    <message>
        <source>Connecting the phone…</source>
        <translation>Connexion du téléphone…</translation>
    </message>
    <message>
        <source>Phone disconnected. Trying again…</source>
        <translation>Téléphone déconnecté. Nouvel essai…</translation>
    </message>
    <message>
        <source>Phone refused by the server</source>
        <translation>Téléphone refusé par le serveur</translation>
    </message>
    <message>
        <source>Signed in, no line for calls</source>
        <translation>Connecté, sans ligne d’appel</translation>
    </message>
    <message>
        <source>Incoming call</source>
        <translation>Appel entrant</translation>
    </message>
    <message>
        <source>Ringing…</source>
        <translation>Ça sonne…</translation>
    </message>
    <message>
        <source>Calling…</source>
        <translation>Appel…</translation>
    </message>
    <message>
        <source>Hanging up…</source>
        <translation>Fin de l’appel…</translation>
    </message>
    <message>
        <source>Connection lost. Reconnecting…</source>
        <translation>Connexion perdue. Reconnexion…</translation>
    </message>
    <message>
        <source>On hold · {time}</source>
        <translation>En attente · {time}</translation>
    </message>
    <message>
        <source>{name} is busy.</source>
        <translation>{name} est occupé.</translation>
    </message>
    <message>
        <source>{name} declined the call.</source>
        <translation>{name} a refusé l’appel.</translation>
    </message>
    <message>
        <source>{name} was not found. Check the number.</source>
        <translation>{name} est introuvable. Vérifiez le numéro.</translation>
    </message>
    <message>
        <source>{name} cannot be reached now.</source>
        <translation>{name} n’est pas joignable pour le moment.</translation>
    </message>
    <message>
        <source>{name} did not answer.</source>
        <translation>{name} n’a pas répondu.</translation>
    </message>
    <message>
        <source>The call was answered on another device.</source>
        <translation>L’appel a été pris sur un autre appareil.</translation>
    </message>
    <message>
        <source>{name}&apos;s phone and this program share no audio or video format.</source>
        <translation>Le téléphone de {name} et ce programme n’ont aucun format audio ou vidéo en commun.</translation>
    </message>
    <message>
        <source>The call to {name} failed. Try again.</source>
        <translation>L’appel vers {name} a échoué. Réessayez.</translation>
    </message>
    <message>
        <source>Yesterday {time}</source>
        <translation>Hier {time}</translation>
    </message>
    <message>
        <source>Extension</source>
        <translation>Poste</translation>
    </message>
    <message>
        <source>Mobile</source>
        <translation>Mobile</translation>
    </message>
    <message>
        <source>Home</source>
        <translation>Domicile</translation>
    </message>
    <message>
        <source>Work</source>
        <translation>Travail</translation>
    </message>
</context>
<context>
    <name>PhoneActs</name>
    <message>
        <source>Unmute</source>
        <translation>Réactiver</translation>
    </message>
    <message>
        <source>Mute</source>
        <translation>Muet</translation>
    </message>
    <message>
        <source>Unmute microphone</source>
        <translation>Activer le micro</translation>
    </message>
    <message>
        <source>Mute microphone</source>
        <translation>Couper le micro</translation>
    </message>
    <message>
        <source>Microphone is off</source>
        <translation>Le micro est coupé</translation>
    </message>
    <message>
        <source>Microphone is on</source>
        <translation>Le micro est activé</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Reprendre</translation>
    </message>
    <message>
        <source>Hold</source>
        <translation>Attente</translation>
    </message>
    <message>
        <source>Take the call up again</source>
        <translation>Reprendre l’appel</translation>
    </message>
    <message>
        <source>Put on hold</source>
        <translation>Mettre en attente</translation>
    </message>
    <message>
        <source>On hold</source>
        <translation>En attente</translation>
    </message>
    <message>
        <source>Not on hold</source>
        <translation>Pas en attente</translation>
    </message>
    <message>
        <source>Sound only</source>
        <translation>Son seul</translation>
    </message>
    <message>
        <source>Video</source>
        <translation>Vidéo</translation>
    </message>
    <message>
        <source>Go on with sound only</source>
        <translation>Continuer avec le son seul</translation>
    </message>
    <message>
        <source>Add video to the call</source>
        <translation>Ajouter la vidéo à l’appel</translation>
    </message>
    <message>
        <source>With video</source>
        <translation>Avec vidéo</translation>
    </message>
    <message>
        <source>Transfer</source>
        <translation>Transférer</translation>
    </message>
    <message>
        <source>Transfer the call</source>
        <translation>Transférer l’appel</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Ajouter</translation>
    </message>
    <message>
        <source>Add a call</source>
        <translation>Ajouter un appel</translation>
    </message>
    <message>
        <source>Keypad</source>
        <translation>Clavier</translation>
    </message>
    <message>
        <source>Open the keypad</source>
        <translation>Ouvrir le clavier</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Arrêter</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>Enregistrer</translation>
    </message>
    <message>
        <source>Stop recording</source>
        <translation>Arrêter l’enregistrement</translation>
    </message>
    <message>
        <source>Record the call</source>
        <translation>Enregistrer l’appel</translation>
    </message>
    <message>
        <source>The call is being recorded</source>
        <translation>L’appel est enregistré</translation>
    </message>
    <message>
        <source>Not recorded</source>
        <translation>Non enregistré</translation>
    </message>
    <message>
        <source>More actions</source>
        <translation>Plus d’actions</translation>
    </message>
    <message>
        <source>Merge with the other calls</source>
        <translation>Réunir avec les autres appels</translation>
    </message>
    <message>
        <source>Take {name} out of the conference</source>
        <translation>Retirer {name} de la conférence</translation>
    </message>
    <message>
        <source>Hang up for everyone</source>
        <translation>Raccrocher pour tous</translation>
    </message>
    <message>
        <source>Pause recording</source>
        <translation>Suspendre l’enregistrement</translation>
    </message>
    <message>
        <source>Go on recording</source>
        <translation>Reprendre l’enregistrement</translation>
    </message>
    <message>
        <source>Move the call to {line}</source>
        <translation>Déplacer l’appel vers {line}</translation>
    </message>
    <message>
        <source>Move the call to my mobile phone</source>
        <translation>Déplacer l’appel vers mon mobile</translation>
    </message>
</context>
<context>
    <name>PhoneBar</name>
    <message>
        <source>More actions</source>
        <translation>Plus d’actions</translation>
    </message>
</context>
<context>
    <name>PhoneCallView</name>
    <message>
        <source>Phone calls</source>
        <translation>Appels téléphoniques</translation>
    </message>
    <message>
        <source>Show the rest of Parley; the call goes on</source>
        <translation>Afficher le reste de Parley ; l’appel continue</translation>
    </message>
</context>
<context>
    <name>PhoneContext</name>
    <message>
        <source>Sign in to an account with a line to make calls.</source>
        <translation>Connectez-vous à un compte avec une ligne pour appeler.</translation>
    </message>
</context>
<context>
    <name>PhoneShell</name>
    <message numerus="yes">
        <source>%n missed call(s)</source>
        <translation>
            <numerusform>%n appel manqué</numerusform>
            <numerusform>%n appels manqués</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n unread message(s)</source>
        <translation>
            <numerusform>%n message non lu</numerusform>
            <numerusform>%n messages non lus</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n new message(s)</source>
        <translation>
            <numerusform>%n nouveau message</numerusform>
            <numerusform>%n nouveaux messages</numerusform>
        </translation>
    </message>
    <message>
        <source>Signed in as {name}</source>
        <translation>Connecté en tant que {name}</translation>
    </message>
    <message numerus="yes">
        <source>%n other call(s)</source>
        <translation>
            <numerusform>%n autre appel</numerusform>
            <numerusform>%n autres appels</numerusform>
        </translation>
    </message>
    <message>
        <source>Call again</source>
        <translation>Rappeler</translation>
    </message>
    <message>
        <source>{name} must sign in again.</source>
        <translation>{name} doit se reconnecter.</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>Se connecter</translation>
    </message>
</context>
<context>
    <name>Player</name>
    <message>
        <source>Player</source>
        <translation>Lecteur</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>Écouter</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>Position</translation>
    </message>
    <message>
        <source>Close the player</source>
        <translation>Fermer le lecteur</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>Chargement…</translation>
    </message>
    <message>
        <source>The server sent no sound.</source>
        <translation>Le serveur n’a envoyé aucun son.</translation>
    </message>
    <message>
        <source>This sound cannot be played.</source>
        <translation>Ce son ne peut pas être lu.</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Playing</source>
        <translation>Lecture</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>En pause</translation>
    </message>
</context>
<context>
    <name>PrejoinView</name>
    <message>
        <source>Back</source>
        <translation>Retour</translation>
    </message>
    <message>
        <source>Microphone level</source>
        <translation>Niveau du micro</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Votre nom</translation>
    </message>
    <message>
        <source>Play test sound</source>
        <translation>Jouer un son de test</translation>
    </message>
    <message>
        <source>Your camera is off</source>
        <translation>Votre caméra est coupée</translation>
    </message>
    <message>
        <source>The camera does not work</source>
        <translation>La caméra ne fonctionne pas</translation>
    </message>
    <message>
        <source>The camera is starting…</source>
        <translation>La caméra démarre…</translation>
    </message>
    <message>
        <source>You will join with the microphone off.</source>
        <translation>Vous rejoindrez la réunion micro coupé.</translation>
    </message>
    <message>
        <source>Say something: the bar moves when your microphone works.</source>
        <translation>Dites quelque chose&#xa0;: la barre bouge si votre micro fonctionne.</translation>
    </message>
</context>
<context>
    <name>Rail</name>
    <message>
        <source>Navigation</source>
        <translation>Navigation</translation>
    </message>
    <message>
        <source>Home</source>
        <translation>Accueil</translation>
    </message>
    <message>
        <source>Meeting</source>
        <translation>Réunion</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Paramètres</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Aide</translation>
    </message>
    <message>
        <source>Calls</source>
        <translation>Appels</translation>
    </message>
    <message>
        <source>Contacts</source>
        <translation>Contacts</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Discussion</translation>
    </message>
    <message>
        <source>Voicemail</source>
        <translation>Messagerie</translation>
    </message>
    <message>
        <source>Rooms</source>
        <translation>Salles</translation>
    </message>
    <message>
        <source>More services</source>
        <translation>Autres services</translation>
    </message>
    <message>
        <source>shown now</source>
        <translation>affiché</translation>
    </message>
</context>
<context>
    <name>Reactions</name>
    <message>
        <source>Thumbs up</source>
        <translation>Pouce levé</translation>
    </message>
    <message>
        <source>Clapping</source>
        <translation>Applaudissements</translation>
    </message>
    <message>
        <source>Laughter</source>
        <translation>Rire</translation>
    </message>
    <message>
        <source>Surprise</source>
        <translation>Surprise</translation>
    </message>
    <message>
        <source>Disapproval</source>
        <translation>Désapprobation</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>Silence</translation>
    </message>
    <message>
        <source>Love</source>
        <translation>Cœur</translation>
    </message>
</context>
<context>
    <name>RecentList</name>
    <message>
        <source>Today</source>
        <translation>Aujourd’hui</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Hier</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day}, {time}</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Récentes</translation>
    </message>
</context>
<context>
    <name>RecentRow</name>
    <message>
        <source>Join again</source>
        <translation>Rejoindre</translation>
    </message>
    <message>
        <source>Join {title} again</source>
        <translation>Rejoindre à nouveau {title}</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>Copier le lien</translation>
    </message>
    <message>
        <source>Copy the link of {title}</source>
        <translation>Copier le lien de {title}</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Retirer de la liste</translation>
    </message>
    <message>
        <source>Remove {title} from the list</source>
        <translation>Retirer {title} de la liste</translation>
    </message>
</context>
<context>
    <name>RenameDialog</name>
    <message>
        <source>Your name</source>
        <translation>Votre nom</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Changer</translation>
    </message>
</context>
<context>
    <name>RoomChat</name>
    <message>
        <source>No messages yet. Say hello.</source>
        <translation>Pas encore de message. Dites bonjour.</translation>
    </message>
</context>
<context>
    <name>RoomsPage</name>
    <message>
        <source>Rooms</source>
        <translation>Salles</translation>
    </message>
    <message>
        <source>New meeting</source>
        <translation>Nouvelle réunion</translation>
    </message>
    <message>
        <source>Room number or meeting link</source>
        <translation>Numéro de salle ou lien de réunion</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>Rejoindre</translation>
    </message>
    <message>
        <source>No rooms yet. Make a meeting to invite others.</source>
        <translation>Pas encore de salle. Créez une réunion pour inviter d’autres personnes.</translation>
    </message>
    <message>
        <source>Meeting</source>
        <translation>Réunion</translation>
    </message>
    <message>
        <source>Conference room</source>
        <translation>Salle de conférence</translation>
    </message>
    <message>
        <source>Guests wait to be let in</source>
        <translation>Les invités attendent d’être admis</translation>
    </message>
    <message>
        <source>Copy invitation link</source>
        <translation>Copier le lien d’invitation</translation>
    </message>
    <message>
        <source>Link copied</source>
        <translation>Lien copié</translation>
    </message>
    <message>
        <source>Room</source>
        <translation>Salle</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>Modifier…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>The meeting is ready; its link is copied.</source>
        <translation>La réunion est prête ; son lien est copié.</translation>
    </message>
    <message>
        <source>Delete this meeting?</source>
        <translation>Supprimer cette réunion ?</translation>
    </message>
    <message>
        <source>The link of “{name}” no longer works.</source>
        <translation>Le lien de « {name} » ne fonctionnera plus.</translation>
    </message>
</context>
<context>
    <name>ScreenBar</name>
    <message>
        <source>Zoom out</source>
        <translation>Zoom arrière</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>Zoom avant</translation>
    </message>
    <message>
        <source>Show actual size</source>
        <translation>Taille réelle</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>Ajuster</translation>
    </message>
    <message>
        <source>Fit to window</source>
        <translation>Ajuster à la fenêtre</translation>
    </message>
    <message>
        <source>The whole screen is shown</source>
        <translation>L’écran entier est affiché</translation>
    </message>
</context>
<context>
    <name>SelfView</name>
    <message>
        <source>Your picture</source>
        <translation>Votre image</translation>
    </message>
    <message>
        <source>Mute microphone</source>
        <translation>Couper le micro</translation>
    </message>
    <message>
        <source>Turn camera off</source>
        <translation>Couper la caméra</translation>
    </message>
    <message>
        <source>Unmute microphone</source>
        <translation>Activer le micro</translation>
    </message>
    <message>
        <source>Microphone is off</source>
        <translation>Le micro est coupé</translation>
    </message>
    <message>
        <source>Microphone is on</source>
        <translation>Le micro est activé</translation>
    </message>
    <message>
        <source>Turn camera on</source>
        <translation>Activer la caméra</translation>
    </message>
    <message>
        <source>Camera is off</source>
        <translation>La caméra est coupée</translation>
    </message>
    <message>
        <source>Camera is on</source>
        <translation>La caméra est activée</translation>
    </message>
</context>
<context>
    <name>ServicesPage</name>
    <message>
        <source>More services</source>
        <translation>Autres services</translation>
    </message>
</context>
<context>
    <name>SettingsWindow</name>
    <message>
        <source>Show advanced settings</source>
        <translation>Afficher les paramètres avancés</translation>
    </message>
    <message>
        <source>Hide advanced settings</source>
        <translation>Masquer les paramètres avancés</translation>
    </message>
    <message>
        <source>Your picture</source>
        <translation>Votre image</translation>
    </message>
    <message>
        <source>The camera is starting…</source>
        <translation>La caméra démarre…</translation>
    </message>
    <message>
        <source>Microphone level</source>
        <translation>Niveau du micro</translation>
    </message>
    <message>
        <source>Find the microphone that hears me</source>
        <translation>Trouver le micro qui m’entend</translation>
    </message>
    <message>
        <source>Play test sound</source>
        <translation>Jouer un son de test</translation>
    </message>
    <message>
        <source>Speech is heard ({score} %)</source>
        <translation>De la parole est détectée ({score}&#xa0;%)</translation>
    </message>
    <message>
        <source>No speech is heard ({score} %)</source>
        <translation>Aucune parole détectée ({score}&#xa0;%)</translation>
    </message>
    <message>
        <source>Takes effect in the next meeting.</source>
        <translation>S’applique à la prochaine réunion.</translation>
    </message>
    <message>
        <source>Takes effect after a restart.</source>
        <translation>S’applique après un redémarrage.</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Aucun</translation>
    </message>
    <message>
        <source>Remove {entry}</source>
        <translation>Retirer {entry}</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Paramètres</translation>
    </message>
    <message>
        <source>Search settings</source>
        <translation>Chercher</translation>
    </message>
    <message>
        <source>Sections</source>
        <translation>Sections</translation>
    </message>
    <message>
        <source>No setting has that word.</source>
        <translation>Aucun paramètre ne contient ce mot.</translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s) found</source>
        <translation>
            <numerusform>%n paramètre trouvé</numerusform>
            <numerusform>%n paramètres trouvés</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ShareDialog</name>
    <message>
        <source>Screen {number}</source>
        <translation>Écran {number}</translation>
    </message>
    <message>
        <source>Looking for screens and windows…</source>
        <translation>Recherche des écrans et des fenêtres…</translation>
    </message>
    <message>
        <source>Optimise for</source>
        <translation>Optimiser pour</translation>
    </message>
    <message>
        <source>Sharp text: documents and slides</source>
        <translation>Texte net&#xa0;: documents et diapositives</translation>
    </message>
    <message>
        <source>Smooth motion: videos</source>
        <translation>Mouvement fluide&#xa0;: vidéos</translation>
    </message>
    <message>
        <source>Share this instead</source>
        <translation>Partager ceci à la place</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Partager</translation>
    </message>
    <message>
        <source>Choose a screen or window first</source>
        <translation>Choisissez d’abord un écran ou une fenêtre</translation>
    </message>
    <message>
        <source>Screens</source>
        <translation>Écrans</translation>
    </message>
    <message>
        <source>Windows</source>
        <translation>Fenêtres</translation>
    </message>
    <message>
        <source>Cameras</source>
        <translation>Caméras</translation>
    </message>
    <message>
        <source>For trying out</source>
        <translation>Pour essayer</translation>
    </message>
    <message>
        <source>Moving test picture</source>
        <translation>Mire animée</translation>
    </message>
    <message>
        <source>No screen was found that can be shared here.</source>
        <translation>Aucun écran à partager n’a été trouvé ici.</translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>Mute or unmute your microphone</source>
        <translation>Couper ou activer votre micro</translation>
    </message>
    <message>
        <source>Push to talk (hold)</source>
        <translation>Parler en maintenant la touche</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>Espace</translation>
    </message>
    <message>
        <source>Start or stop your camera</source>
        <translation>Activer ou couper votre caméra</translation>
    </message>
    <message>
        <source>Share your screen or stop sharing</source>
        <translation>Partager votre écran ou arrêter</translation>
    </message>
    <message>
        <source>Open or close the chat</source>
        <translation>Ouvrir ou fermer la discussion</translation>
    </message>
    <message>
        <source>Open or close the list of participants</source>
        <translation>Ouvrir ou fermer la liste des participants</translation>
    </message>
    <message>
        <source>Raise or lower your hand</source>
        <translation>Lever ou baisser la main</translation>
    </message>
    <message>
        <source>Show or hide the filmstrip</source>
        <translation>Afficher ou masquer le bandeau</translation>
    </message>
    <message>
        <source>Switch between gallery and speaker view</source>
        <translation>Basculer entre galerie et intervenant</translation>
    </message>
    <message>
        <source>Show speaking times</source>
        <translation>Afficher les temps de parole</translation>
    </message>
    <message>
        <source>Choose the video quality</source>
        <translation>Choisir la qualité vidéo</translation>
    </message>
    <message>
        <source>Show connection statistics</source>
        <translation>Afficher les statistiques de connexion</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Plein écran</translation>
    </message>
    <message>
        <source>Leave the meeting</source>
        <translation>Quitter la réunion</translation>
    </message>
    <message>
        <source>Show keyboard shortcuts</source>
        <translation>Afficher les raccourcis clavier</translation>
    </message>
    <message>
        <source>Put yourself (0) or somebody (1–9) on the stage</source>
        <translation>Vous afficher en grand (0), ou quelqu’un d’autre (1–9)</translation>
    </message>
    <message>
        <source>Close the panel, unpin or leave full screen</source>
        <translation>Fermer le panneau, détacher ou quitter le plein écran</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Échap</translation>
    </message>
    <message>
        <source>React with thumbs up</source>
        <translation>Réagir&#xa0;: pouce levé</translation>
    </message>
    <message>
        <source>React with clapping</source>
        <translation>Réagir&#xa0;: applaudissements</translation>
    </message>
    <message>
        <source>React with laughter</source>
        <translation>Réagir&#xa0;: rire</translation>
    </message>
    <message>
        <source>React with surprise</source>
        <translation>Réagir&#xa0;: surprise</translation>
    </message>
    <message>
        <source>React with disapproval</source>
        <translation>Réagir&#xa0;: désapprobation</translation>
    </message>
    <message>
        <source>React with silence</source>
        <translation>Réagir&#xa0;: silence</translation>
    </message>
    <message>
        <source>Answer with video</source>
        <translation>Répondre en vidéo</translation>
    </message>
    <message>
        <source>Answer the call</source>
        <translation>Répondre à l’appel</translation>
    </message>
    <message>
        <source>Decline the call</source>
        <translation>Refuser l’appel</translation>
    </message>
    <message>
        <source>Hold or resume the call</source>
        <translation>Mettre l’appel en attente ou le reprendre</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Single letters work while you are not typing in a field.</source>
        <translation>Les lettres seules agissent quand vous n’écrivez pas dans un champ.</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Raccourcis clavier</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Fermer</translation>
    </message>
</context>
<context>
    <name>SidePanel</name>
    <message>
        <source>Close panel</source>
        <translation>Fermer le panneau</translation>
    </message>
</context>
<context>
    <name>SignInView</name>
    <message>
        <source>Sign in</source>
        <translation>Se connecter</translation>
    </message>
    <message>
        <source>Service</source>
        <translation>Service</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>Serveur</translation>
    </message>
    <message>
        <source>phone.example.org</source>
        <translation>phone.example.org</translation>
    </message>
    <message>
        <source>User name</source>
        <translation>Nom d’utilisateur</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Mot de passe</translation>
    </message>
    <message>
        <source>Domain</source>
        <translation>Domaine</translation>
    </message>
    <message>
        <source>Only if your organisation gave you one</source>
        <translation>Seulement si votre organisation vous en a donné un</translation>
    </message>
    <message>
        <source>Stay signed in</source>
        <translation>Rester connecté</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Détails</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Sign in again</source>
        <translation>Se reconnecter</translation>
    </message>
    <message>
        <source>Type the address of your server.</source>
        <translation>Saisissez l’adresse de votre serveur.</translation>
    </message>
    <message>
        <source>Type your user name.</source>
        <translation>Saisissez votre nom d’utilisateur.</translation>
    </message>
    <message>
        <source>Type your password.</source>
        <translation>Saisissez votre mot de passe.</translation>
    </message>
    <message>
        <source>Signing in did not work. Try again.</source>
        <translation>La connexion n’a pas réussi. Réessayez.</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>Connexion…</translation>
    </message>
</context>
<context>
    <name>StageArea</name>
    <message>
        <source>Previous page</source>
        <translation>Page précédente</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>Page suivante</translation>
    </message>
    <message>
        <source>Page {page} of {pages}</source>
        <translation>Page {page} sur {pages}</translation>
    </message>
</context>
<context>
    <name>Stars</name>
    <message numerus="yes">
        <source>%n star(s)</source>
        <translation>
            <numerusform>%n étoile</numerusform>
            <numerusform>%n étoiles</numerusform>
        </translation>
    </message>
    <message>
        <source>Rating</source>
        <translation>Note</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>choisi</translation>
    </message>
</context>
<context>
    <name>StatisticsPanel</name>
    <message>
        <source>Statistics</source>
        <translation>Statistiques</translation>
    </message>
    <message>
        <source>Speaking time</source>
        <translation>Temps de parole</translation>
    </message>
    <message>
        <source>Guest</source>
        <translation>Invité</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Connexion</translation>
    </message>
    <message>
        <source>Sent</source>
        <translation>Envoyé</translation>
    </message>
    <message>
        <source>Received</source>
        <translation>Reçu</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Vous</translation>
    </message>
    <message>
        <source>camera</source>
        <translation>la caméra</translation>
    </message>
    <message>
        <source>screen</source>
        <translation>l’écran</translation>
    </message>
    <message>
        <source>microphone</source>
        <translation>le micro</translation>
    </message>
    <message>
        <source>Round trip</source>
        <translation>Aller-retour</translation>
    </message>
    <message>
        <source>Sending</source>
        <translation>Envoi</translation>
    </message>
    <message>
        <source>Receiving</source>
        <translation>Réception</translation>
    </message>
    <message>
        <source>Available</source>
        <translation>Disponible</translation>
    </message>
    <message>
        <source>Loss received</source>
        <translation>Pertes en réception</translation>
    </message>
    <message>
        <source>Loss sent</source>
        <translation>Pertes à l’envoi</translation>
    </message>
    <message>
        <source>Local address</source>
        <translation>Adresse locale</translation>
    </message>
    <message>
        <source>Remote address</source>
        <translation>Adresse distante</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>Chiffrement</translation>
    </message>
    <message>
        <source>Delay to {name}</source>
        <translation>Délai vers {name}</translation>
    </message>
</context>
<context>
    <name>SubjectDialog</name>
    <message>
        <source>Subject of the meeting</source>
        <translation>Sujet de la réunion</translation>
    </message>
    <message>
        <source>For example: Weekly planning</source>
        <translation>Par exemple&#xa0;: Réunion hebdomadaire</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Change subject</source>
        <translation>Changer le sujet</translation>
    </message>
</context>
<context>
    <name>SwitchDialog</name>
    <message>
        <source>You are in “{running}”. To join “{wanted}” you leave it first.</source>
        <translation>Vous êtes dans «&#x202f;{running}&#x202f;». Pour rejoindre «&#x202f;{wanted}&#x202f;», il faut d’abord la quitter.</translation>
    </message>
    <message>
        <source>Stay</source>
        <translation>Rester</translation>
    </message>
    <message>
        <source>Leave and go on</source>
        <translation>Quitter et continuer</translation>
    </message>
</context>
<context>
    <name>SwitchboardSection</name>
    <message>
        <source>Switchboard</source>
        <translation>Standard</translation>
    </message>
    <message>
        <source>You are not an operator of any switchboard.</source>
        <translation>Vous n’êtes opérateur d’aucun standard.</translation>
    </message>
    <message>
        <source>Nobody is waiting.</source>
        <translation>Personne n’attend.</translation>
    </message>
    <message>
        <source>Unknown caller</source>
        <translation>Correspondant inconnu</translation>
    </message>
    <message>
        <source>On hold</source>
        <translation>En attente</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Attend</translation>
    </message>
    <message>
        <source>Hold</source>
        <translation>Attente</translation>
    </message>
    <message>
        <source>Hold {name}</source>
        <translation>Mettre {name} en attente</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Répondre</translation>
    </message>
    <message>
        <source>Answer {name}</source>
        <translation>Répondre à {name}</translation>
    </message>
</context>
<context>
    <name>TargetSearch</name>
    <message>
        <source>Suggestions</source>
        <translation>Suggestions</translation>
    </message>
    <message>
        <source>Call with video</source>
        <translation>Appeler en vidéo</translation>
    </message>
    <message>
        <source>This call · {number}</source>
        <translation>Cet appel · {number}</translation>
    </message>
    <message>
        <source>Call {number}</source>
        <translation>Appeler {number}</translation>
    </message>
</context>
<context>
    <name>Tile</name>
    <message>
        <source>Actions</source>
        <translation>Actions</translation>
    </message>
    <message>
        <source>Actions for {name}</source>
        <translation>Actions pour {name}</translation>
    </message>
    <message>
        <source>Connection lost</source>
        <translation>Connexion perdue</translation>
    </message>
    <message>
        <source>Guest</source>
        <translation>Invité</translation>
    </message>
    <message>
        <source>shared screen</source>
        <translation>écran partagé</translation>
    </message>
    <message>
        <source>speaking</source>
        <translation>parle</translation>
    </message>
    <message>
        <source>connection lost</source>
        <translation>connexion perdue</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>épinglé</translation>
    </message>
    <message>
        <source>microphone off</source>
        <translation>micro coupé</translation>
    </message>
    <message>
        <source>microphone on</source>
        <translation>micro activé</translation>
    </message>
    <message>
        <source>camera off</source>
        <translation>caméra coupée</translation>
    </message>
    <message>
        <source>camera on</source>
        <translation>caméra activée</translation>
    </message>
    <message>
        <source>poor connection</source>
        <translation>mauvaise connexion</translation>
    </message>
    <message>
        <source>fair connection</source>
        <translation>connexion moyenne</translation>
    </message>
    <message>
        <source>{name}’s screen</source>
        <translation>Écran de {name}</translation>
    </message>
    <message>
        <source>{name} (you)</source>
        <translation>{name} (vous)</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Vous</translation>
    </message>
    <message>
        <source>hand raised, number {place}</source>
        <translation>main levée, numéro {place}</translation>
    </message>
</context>
<context>
    <name>Toast</name>
    <message>
        <source>Dismiss</source>
        <translation>Fermer</translation>
    </message>
</context>
<context>
    <name>ToastStack</name>
    <message>
        <source>Notifications</source>
        <translation>Notifications</translation>
    </message>
</context>
<context>
    <name>Toolbar</name>
    <message>
        <source>Call controls</source>
        <translation>Contrôles de l’appel</translation>
    </message>
    <message>
        <source>Microphone and speaker</source>
        <translation>Micro et haut-parleur</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Caméra</translation>
    </message>
    <message>
        <source>More actions</source>
        <translation>Plus d’actions</translation>
    </message>
    <message>
        <source>Send a reaction</source>
        <translation>Envoyer une réaction</translation>
    </message>
    <message>
        <source>Speaker view</source>
        <translation>Vue intervenant</translation>
    </message>
    <message>
        <source>Gallery view</source>
        <translation>Vue galerie</translation>
    </message>
    <message>
        <source>Gallery is shown</source>
        <translation>La galerie est affichée</translation>
    </message>
    <message>
        <source>Speaker is shown</source>
        <translation>L’intervenant est affiché</translation>
    </message>
    <message>
        <source>Unmute microphone</source>
        <translation>Activer le micro</translation>
    </message>
    <message>
        <source>Mute microphone</source>
        <translation>Couper le micro</translation>
    </message>
    <message>
        <source>Microphone is off</source>
        <translation>Le micro est coupé</translation>
    </message>
    <message>
        <source>Microphone is on</source>
        <translation>Le micro est activé</translation>
    </message>
    <message>
        <source>Muted by a moderator</source>
        <translation>Coupé par un modérateur</translation>
    </message>
    <message>
        <source>No microphone found</source>
        <translation>Aucun micro trouvé</translation>
    </message>
    <message>
        <source>Start camera</source>
        <translation>Activer la caméra</translation>
    </message>
    <message>
        <source>Stop camera</source>
        <translation>Couper la caméra</translation>
    </message>
    <message>
        <source>Camera is off</source>
        <translation>La caméra est coupée</translation>
    </message>
    <message>
        <source>Camera is on</source>
        <translation>La caméra est activée</translation>
    </message>
    <message>
        <source>No camera found</source>
        <translation>Aucune caméra trouvée</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>Arrêter le partage</translation>
    </message>
    <message>
        <source>Share screen</source>
        <translation>Partager l’écran</translation>
    </message>
    <message>
        <source>You share your screen</source>
        <translation>Vous partagez votre écran</translation>
    </message>
    <message>
        <source>Nothing is shared</source>
        <translation>Rien n’est partagé</translation>
    </message>
    <message>
        <source>Close chat</source>
        <translation>Fermer la discussion</translation>
    </message>
    <message>
        <source>Open chat</source>
        <translation>Ouvrir la discussion</translation>
    </message>
    <message numerus="yes">
        <source>%n unread message(s)</source>
        <translation>
            <numerusform>%n message non lu</numerusform>
            <numerusform>%n messages non lus</numerusform>
        </translation>
    </message>
    <message>
        <source>No unread messages</source>
        <translation>Aucun message non lu</translation>
    </message>
    <message>
        <source>Close participants</source>
        <translation>Fermer les participants</translation>
    </message>
    <message>
        <source>Open participants</source>
        <translation>Ouvrir les participants</translation>
    </message>
    <message numerus="yes">
        <source>%n participant(s)</source>
        <translation>
            <numerusform>%n participant</numerusform>
            <numerusform>%n participants</numerusform>
        </translation>
    </message>
    <message>
        <source>Lower hand</source>
        <translation>Baisser la main</translation>
    </message>
    <message>
        <source>Raise hand</source>
        <translation>Lever la main</translation>
    </message>
    <message>
        <source>Your hand is raised</source>
        <translation>Votre main est levée</translation>
    </message>
    <message>
        <source>Your hand is down</source>
        <translation>Votre main est baissée</translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>Back to the start page; the meeting goes on</source>
        <translation>Retour à l’accueil&#x202f;; la réunion continue</translation>
    </message>
    <message>
        <source>Time in the meeting</source>
        <translation>Temps passé dans la réunion</translation>
    </message>
    <message>
        <source>The meeting is locked with a password</source>
        <translation>La réunion est verrouillée par un mot de passe</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Plein écran</translation>
    </message>
    <message>
        <source>Meeting</source>
        <translation>Réunion</translation>
    </message>
    <message>
        <source>Speaker view</source>
        <translation>Vue intervenant</translation>
    </message>
    <message>
        <source>Gallery view</source>
        <translation>Vue galerie</translation>
    </message>
    <message>
        <source>Leave full screen</source>
        <translation>Quitter le plein écran</translation>
    </message>
</context>
<context>
    <name>TransferPanel</name>
    <message>
        <source>Transfer</source>
        <translation>Transférer</translation>
    </message>
    <message>
        <source>Number, name or call</source>
        <translation>Numéro, nom ou appel</translation>
    </message>
    <message>
        <source>Ask first</source>
        <translation>Demander d’abord</translation>
    </message>
    <message>
        <source>You talk to them while your caller waits on hold.</source>
        <translation>Vous lui parlez pendant que votre correspondant attend.</translation>
    </message>
    <message>
        <source>Transfer now</source>
        <translation>Transférer maintenant</translation>
    </message>
    <message>
        <source>The call leaves you at once.</source>
        <translation>L’appel vous quitte aussitôt.</translation>
    </message>
    <message>
        <source>Choose somebody else</source>
        <translation>Choisir quelqu’un d’autre</translation>
    </message>
    <message>
        <source>Complete transfer</source>
        <translation>Terminer le transfert</translation>
    </message>
    <message>
        <source>Back to the caller</source>
        <translation>Revenir à l’appel</translation>
    </message>
    <message>
        <source>Connect both and leave</source>
        <translation>Relier les deux et quitter</translation>
    </message>
    <message>
        <source>The call was handed over.</source>
        <translation>L’appel a été transféré.</translation>
    </message>
    <message>
        <source>Transfer {name}</source>
        <translation>Transférer {name}</translation>
    </message>
    <message>
        <source>Calling {name}…</source>
        <translation>Appel de {name}…</translation>
    </message>
    <message>
        <source>{name} is on the line. Ask, then complete the transfer.</source>
        <translation>{name} est en ligne. Demandez, puis terminez le transfert.</translation>
    </message>
    <message>
        <source>Handing the call over…</source>
        <translation>Transfert de l’appel…</translation>
    </message>
    <message>
        <source>{name} could not be reached. Your caller is still on hold.</source>
        <translation>{name} n’a pas pu être joint. Votre correspondant attend toujours.</translation>
    </message>
    <message>
        <source>{name} waits on hold.</source>
        <translation>{name} attend.</translation>
    </message>
</context>
<context>
    <name>VoicemailPage</name>
    <message>
        <source>Voicemail</source>
        <translation>Messagerie</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Dossier</translation>
    </message>
    <message>
        <source>All messages</source>
        <translation>Tous les messages</translation>
    </message>
    <message>
        <source>New</source>
        <translation>Nouveau</translation>
    </message>
    <message>
        <source>Heard</source>
        <translation>Écoutés</translation>
    </message>
    <message>
        <source>Urgent</source>
        <translation>Urgent</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Messages</translation>
    </message>
    <message>
        <source>Nobody has left a message.</source>
        <translation>Personne n’a laissé de message.</translation>
    </message>
    <message>
        <source>Unknown caller</source>
        <translation>Correspondant inconnu</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>Call back</source>
        <translation>Rappeler</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>Écouter</translation>
    </message>
    <message>
        <source>Message from {name}</source>
        <translation>Message de {name}</translation>
    </message>
    <message>
        <source>Delete this message?</source>
        <translation>Supprimer ce message ?</translation>
    </message>
    <message>
        <source>The message from {name} cannot be brought back.</source>
        <translation>Le message de {name} ne pourra pas être récupéré.</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Message</translation>
    </message>
    <message>
        <source>Mark as new</source>
        <translation>Marquer comme nouveau</translation>
    </message>
    <message>
        <source>Mark as heard</source>
        <translation>Marquer comme écouté</translation>
    </message>
</context>
<context>
    <name>messages</name>
    <message>
        <source>A moderator turned your {what} off.</source>
        <translation>Un modérateur a coupé votre {what}.</translation>
    </message>
    <message>
        <source>A part of the server is down. Try again later.</source>
        <translation>Une partie du serveur est arrêtée. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>Access to the device was refused. Allow it in the system&apos;s privacy settings.</source>
        <translation>L’accès au périphérique a été refusé. Autorisez-le dans les réglages de confidentialité du système.</translation>
    </message>
    <message>
        <source>Answered on another device.</source>
        <translation>Appel pris sur un autre appareil.</translation>
    </message>
    <message>
        <source>Busy. Try again later.</source>
        <translation>Occupé. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>Call {target} with {vendor}</source>
        <translation>Appeler {target} avec {vendor}</translation>
    </message>
    <message>
        <source>Could not be sent: the connection to the media server broke.</source>
        <translation>Envoi impossible&#xa0;: la connexion au serveur multimédia est rompue.</translation>
    </message>
    <message>
        <source>Could not be sent: the connection to the media server is not open.</source>
        <translation>Envoi impossible&#xa0;: la connexion au serveur multimédia n’est pas ouverte.</translation>
    </message>
    <message>
        <source>Could not be sent: the message is too large or not allowed.</source>
        <translation>Envoi impossible&#xa0;: le message est trop long ou n’est pas autorisé.</translation>
    </message>
    <message>
        <source>Jitsi meetings do not have this function.</source>
        <translation>Les réunions Jitsi n’ont pas cette fonction.</translation>
    </message>
    <message>
        <source>Join this meeting with {vendor}</source>
        <translation>Rejoindre cette réunion avec {vendor}</translation>
    </message>
    <message>
        <source>No camera was found.</source>
        <translation>Aucune caméra n’a été trouvée.</translation>
    </message>
    <message>
        <source>No contact was found in this text. It must be vCard or CSV.</source>
        <translation>Aucun contact n’a été trouvé dans ce texte. Il doit être au format vCard ou CSV.</translation>
    </message>
    <message>
        <source>No media server is available. Sound and pictures start when one is back.</source>
        <translation>Aucun serveur multimédia n’est disponible. Le son et l’image reviendront avec lui.</translation>
    </message>
    <message>
        <source>No window system is running.</source>
        <translation>Aucun système de fenêtres n’est actif.</translation>
    </message>
    <message>
        <source>Nobody answered. Try again later.</source>
        <translation>Personne n’a répondu. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>Nobody in the meeting can receive tones.</source>
        <translation>Personne dans la réunion ne peut recevoir de tonalités.</translation>
    </message>
    <message>
        <source>Not available. Try again later.</source>
        <translation>Indisponible. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>Not possible before the meeting is joined.</source>
        <translation>Impossible avant d’avoir rejoint la réunion.</translation>
    </message>
    <message>
        <source>Not possible right now: the call is not answered.</source>
        <translation>Impossible pour l’instant : l’appel n’est pas décroché.</translation>
    </message>
    <message>
        <source>Not possible right now: there is no media connection.</source>
        <translation>Impossible pour l’instant&#xa0;: il n’y a pas de connexion multimédia.</translation>
    </message>
    <message>
        <source>Not possible right now: there is no sound connection.</source>
        <translation>Impossible pour l’instant : il n’y a pas de liaison audio.</translation>
    </message>
    <message>
        <source>Not possible right now: you are not in the meeting.</source>
        <translation>Impossible pour l’instant&#xa0;: vous n’êtes pas dans la réunion.</translation>
    </message>
    <message>
        <source>Not possible right now: you are not signed in.</source>
        <translation>Impossible pour l’instant : vous n’êtes pas connecté.</translation>
    </message>
    <message>
        <source>Not possible: the call does not ring any more.</source>
        <translation>Impossible : l’appel ne sonne plus.</translation>
    </message>
    <message>
        <source>Nothing is shared.</source>
        <translation>Rien n’est partagé.</translation>
    </message>
    <message>
        <source>Nothing was chosen.</source>
        <translation>Rien n’a été choisi.</translation>
    </message>
    <message>
        <source>Only PDF files can be faxed. Choose a PDF file.</source>
        <translation>Seuls les fichiers PDF peuvent être télécopiés. Choisissez un fichier PDF.</translation>
    </message>
    <message>
        <source>Only a moderator can do this.</source>
        <translation>Seul un modérateur peut faire cela.</translation>
    </message>
    <message>
        <source>Only digits, A to D, * and # can be sent as tones.</source>
        <translation>Seuls les chiffres, A à D, * et # peuvent être envoyés comme tonalités.</translation>
    </message>
    <message>
        <source>Passwords are kept in the given store.</source>
        <translation>Les mots de passe sont conservés dans le trousseau indiqué.</translation>
    </message>
    <message>
        <source>Passwords are kept in {value}.</source>
        <translation>Les mots de passe sont conservés dans {value}.</translation>
    </message>
    <message>
        <source>Passwords are kept until you quit.</source>
        <translation>Les mots de passe sont conservés jusqu’à ce que vous quittiez.</translation>
    </message>
    <message>
        <source>Pexip meetings cannot be joined with this version of Parley.</source>
        <translation>Cette version de Parley ne peut pas rejoindre les réunions Pexip.</translation>
    </message>
    <message>
        <source>Please wait: another change of this call is under way.</source>
        <translation>Veuillez patienter : une autre modification de cet appel est en cours.</translation>
    </message>
    <message>
        <source>Screen sharing failed.</source>
        <translation>Le partage d’écran a échoué.</translation>
    </message>
    <message>
        <source>Screen sharing is turned off in the settings.</source>
        <translation>Le partage d’écran est désactivé dans les paramètres.</translation>
    </message>
    <message>
        <source>Sign in to a phone account to call SIP addresses.</source>
        <translation>Connectez-vous à un compte téléphonique pour appeler des adresses SIP.</translation>
    </message>
    <message>
        <source>Sign in to a phone account to call phone numbers.</source>
        <translation>Connectez-vous à un compte téléphonique pour appeler des numéros.</translation>
    </message>
    <message>
        <source>Sign in to this account first.</source>
        <translation>Connectez-vous d’abord à ce compte.</translation>
    </message>
    <message>
        <source>Single sign-on failed. Try again, or ask the administrator.</source>
        <translation>L’authentification unique a échoué. Réessayez ou demandez à l’administrateur.</translation>
    </message>
    <message>
        <source>Some contacts could not be imported.</source>
        <translation>Certains contacts n’ont pas pu être importés.</translation>
    </message>
    <message>
        <source>Somebody must sign in to start this meeting. Sign in, or wait for the host.</source>
        <translation>Quelqu’un doit se connecter pour ouvrir cette réunion. Connectez-vous ou attendez l’hôte.</translation>
    </message>
    <message>
        <source>Something went wrong inside Parley; please try again. The log has the details.</source>
        <translation>Un problème est survenu dans Parley&#x202f;; veuillez réessayer. Le journal contient les détails.</translation>
    </message>
    <message>
        <source>Sound cannot get through. Your network may block it; try another network.</source>
        <translation>Le son ne passe pas. Votre réseau le bloque peut-être ; essayez un autre réseau.</translation>
    </message>
    <message>
        <source>That screen is not connected.</source>
        <translation>Cet écran n’est pas connecté.</translation>
    </message>
    <message>
        <source>That window is closed.</source>
        <translation>Cette fenêtre est fermée.</translation>
    </message>
    <message>
        <source>The call was cancelled.</source>
        <translation>L’appel a été annulé.</translation>
    </message>
    <message>
        <source>The call was declined.</source>
        <translation>L’appel a été refusé.</translation>
    </message>
    <message>
        <source>The call was lost. Call again.</source>
        <translation>L’appel a été perdu. Rappelez.</translation>
    </message>
    <message>
        <source>The call was redirected, which this server does not support for you.</source>
        <translation>L’appel a été renvoyé, ce que ce serveur ne permet pas ici.</translation>
    </message>
    <message>
        <source>The camera does not support this resolution. Choose a lower one.</source>
        <translation>La caméra ne prend pas en charge cette résolution. Choisissez-en une plus basse.</translation>
    </message>
    <message>
        <source>The camera failed.</source>
        <translation>La caméra a échoué.</translation>
    </message>
    <message>
        <source>The camera may not be used.</source>
        <translation>L’utilisation de la caméra n’est pas autorisée.</translation>
    </message>
    <message>
        <source>The camera or microphone cannot be opened.</source>
        <translation>La caméra ou le micro ne s’ouvre pas.</translation>
    </message>
    <message>
        <source>The camera was unplugged.</source>
        <translation>La caméra a été débranchée.</translation>
    </message>
    <message>
        <source>The connection is closed. Try again.</source>
        <translation>La connexion est fermée. Réessayez.</translation>
    </message>
    <message>
        <source>The connection to the meeting was refused or lost. Try again.</source>
        <translation>La connexion à la réunion a été refusée ou perdue. Réessayez.</translation>
    </message>
    <message>
        <source>The connection to the server failed. Try again.</source>
        <translation>La connexion au serveur a échoué. Réessayez.</translation>
    </message>
    <message>
        <source>The connection was lost and could not be restored. Check your network and join again.</source>
        <translation>La connexion a été perdue et n’a pas pu être rétablie. Vérifiez votre réseau et rejoignez à nouveau.</translation>
    </message>
    <message>
        <source>The device cannot do what the settings ask for. Choose other settings.</source>
        <translation>Le périphérique ne peut pas faire ce que demandent les paramètres. Choisissez-en d’autres.</translation>
    </message>
    <message>
        <source>The device gives no picture.</source>
        <translation>Le périphérique ne donne pas d’image.</translation>
    </message>
    <message>
        <source>The device is used by another program. Close that program and try again.</source>
        <translation>Le périphérique est utilisé par un autre programme. Fermez-le et réessayez.</translation>
    </message>
    <message>
        <source>The device stopped.</source>
        <translation>Le périphérique s’est arrêté.</translation>
    </message>
    <message>
        <source>The device was not found. Plug it in or choose another.</source>
        <translation>Le périphérique est introuvable. Branchez-le ou choisissez-en un autre.</translation>
    </message>
    <message>
        <source>The file cannot be read. Choose another.</source>
        <translation>Le fichier est illisible. Choisissez-en un autre.</translation>
    </message>
    <message>
        <source>The list of accounts could not be read ({strerror}).</source>
        <translation>La liste des comptes n’a pas pu être lue ({strerror}).</translation>
    </message>
    <message>
        <source>The list of accounts could not be saved ({strerror}).</source>
        <translation>La liste des comptes n’a pas pu être enregistrée ({strerror}).</translation>
    </message>
    <message>
        <source>The list of accounts is damaged.</source>
        <translation>La liste des comptes est endommagée.</translation>
    </message>
    <message>
        <source>The list of accounts is damaged. It was kept as “{name}”.</source>
        <translation>La liste des comptes est endommagée. Elle a été conservée sous « {name} ».</translation>
    </message>
    <message>
        <source>The media connection cannot do that right now.</source>
        <translation>La connexion multimédia ne le permet pas pour l’instant.</translation>
    </message>
    <message>
        <source>The media server cannot be reached. Your network may block UDP; try another network.</source>
        <translation>Le serveur multimédia est injoignable. Votre réseau bloque peut-être UDP&#x202f;; essayez un autre réseau.</translation>
    </message>
    <message>
        <source>The media session failed. Try to join again.</source>
        <translation>La session multimédia a échoué. Essayez de rejoindre à nouveau.</translation>
    </message>
    <message>
        <source>The meeting asks for your name.</source>
        <translation>La réunion demande votre nom.</translation>
    </message>
    <message>
        <source>The meeting controller does not answer. Try again in a moment.</source>
        <translation>Le contrôleur de la réunion ne répond pas. Réessayez dans un instant.</translation>
    </message>
    <message>
        <source>The meeting controller is gone. Waiting for it to come back.</source>
        <translation>Le contrôleur de la réunion a disparu. En attente de son retour.</translation>
    </message>
    <message>
        <source>The meeting could not be set up. Try again.</source>
        <translation>La réunion n’a pas pu être mise en place. Réessayez.</translation>
    </message>
    <message>
        <source>The meeting does not exist yet and you may not start it.</source>
        <translation>La réunion n’existe pas encore et vous ne pouvez pas l’ouvrir.</translation>
    </message>
    <message>
        <source>The meeting has moved to another server. Join again.</source>
        <translation>La réunion a changé de serveur. Rejoignez-la à nouveau.</translation>
    </message>
    <message>
        <source>The meeting has not started yet. Try again later.</source>
        <translation>La réunion n’a pas encore commencé. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>The meeting is full.</source>
        <translation>La réunion est complète.</translation>
    </message>
    <message>
        <source>The meeting password is wrong. Try again.</source>
        <translation>Le mot de passe de la réunion est faux. Réessayez.</translation>
    </message>
    <message>
        <source>The meeting was ended.</source>
        <translation>La réunion a été terminée.</translation>
    </message>
    <message>
        <source>The message was not delivered.</source>
        <translation>Le message n’a pas été remis.</translation>
    </message>
    <message>
        <source>The other call is over.</source>
        <translation>L’autre appel est terminé.</translation>
    </message>
    <message>
        <source>The other side asks you to call {number}.</source>
        <translation>Votre correspondant vous demande d’appeler le {number}.</translation>
    </message>
    <message>
        <source>The other side cannot use any sound or video format of this program.</source>
        <translation>Votre correspondant ne prend en charge aucun format audio ou vidéo de ce programme.</translation>
    </message>
    <message>
        <source>The other side did not answer.</source>
        <translation>Votre correspondant n’a pas répondu.</translation>
    </message>
    <message>
        <source>The password store of this system does not encrypt; passwords are kept until you quit.</source>
        <translation>Le trousseau de ce système n’est pas chiffré ; les mots de passe sont conservés jusqu’à ce que vous quittiez.</translation>
    </message>
    <message>
        <source>The phone is not ready for calls. Wait a moment and try again.</source>
        <translation>Le téléphone n’est pas prêt à appeler. Patientez un instant et réessayez.</translation>
    </message>
    <message>
        <source>The phone network has a problem. Try again later.</source>
        <translation>Le réseau téléphonique a un problème. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>The phone server asks you to call {number}.</source>
        <translation>Le serveur téléphonique vous demande d’appeler le {number}.</translation>
    </message>
    <message>
        <source>The phone server does not allow this call.</source>
        <translation>Le serveur téléphonique n’autorise pas cet appel.</translation>
    </message>
    <message>
        <source>The phone server does not answer. Calls work again when it is back.</source>
        <translation>Le serveur téléphonique ne répond pas. Les appels fonctionneront à son retour.</translation>
    </message>
    <message>
        <source>The phone server refuses the line&apos;s password. Sign in again.</source>
        <translation>Le serveur téléphonique refuse le mot de passe de la ligne. Reconnectez-vous.</translation>
    </message>
    <message>
        <source>The phone server refuses the line. Ask your administrator.</source>
        <translation>Le serveur téléphonique refuse la ligne. Demandez à votre administrateur.</translation>
    </message>
    <message>
        <source>The reservation system answered: {said}.</source>
        <translation>Le système de réservation a répondu&#xa0;: {said}.</translation>
    </message>
    <message>
        <source>The reservation system refused the meeting.</source>
        <translation>Le système de réservation a refusé la réunion.</translation>
    </message>
    <message>
        <source>The room cannot be joined now.</source>
        <translation>La salle ne peut pas être rejointe maintenant.</translation>
    </message>
    <message>
        <source>The screen cannot be shared.</source>
        <translation>L’écran ne peut pas être partagé.</translation>
    </message>
    <message>
        <source>The server asks for a user name and a password.</source>
        <translation>Le serveur demande un nom d’utilisateur et un mot de passe.</translation>
    </message>
    <message>
        <source>The server cannot be reached. Check the address and your network connection.</source>
        <translation>Le serveur est injoignable. Vérifiez l’adresse et votre connexion au réseau.</translation>
    </message>
    <message>
        <source>The server did not accept these values. Check them and try again.</source>
        <translation>Le serveur n’a pas accepté ces valeurs. Vérifiez-les et réessayez.</translation>
    </message>
    <message>
        <source>The server did not answer. Try again.</source>
        <translation>Le serveur n’a pas répondu. Réessayez.</translation>
    </message>
    <message>
        <source>The server did not answer; please try again.</source>
        <translation>Le serveur n’a pas répondu&#x202f;; veuillez réessayer.</translation>
    </message>
    <message>
        <source>The server did not say which call this is, so this is not possible.</source>
        <translation>Le serveur n’a pas indiqué de quel appel il s’agit ; c’est donc impossible.</translation>
    </message>
    <message>
        <source>The server does not allow this.</source>
        <translation>Le serveur ne le permet pas.</translation>
    </message>
    <message>
        <source>The server does not allow you to join this meeting.</source>
        <translation>Le serveur ne vous permet pas de rejoindre cette réunion.</translation>
    </message>
    <message>
        <source>The server does not answer. Check your network connection and try again.</source>
        <translation>Le serveur ne répond pas. Vérifiez votre connexion au réseau et réessayez.</translation>
    </message>
    <message>
        <source>The server does not have this (any more).</source>
        <translation>Le serveur ne l’a pas (ou plus).</translation>
    </message>
    <message>
        <source>The server ended your session. Sign in again.</source>
        <translation>Le serveur a mis fin à votre session. Reconnectez-vous.</translation>
    </message>
    <message>
        <source>The server has a problem. Try again later.</source>
        <translation>Le serveur a un problème. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>The server name was not found. Check the address and your network connection.</source>
        <translation>Le nom du serveur est introuvable. Vérifiez l’adresse et votre connexion au réseau.</translation>
    </message>
    <message>
        <source>The server refused the new meeting setting.</source>
        <translation>Le serveur a refusé le nouveau réglage de la réunion.</translation>
    </message>
    <message>
        <source>The server refused the token of this link, which may have expired. Ask for a new link.</source>
        <translation>Le serveur a refusé le jeton de ce lien, qui a peut-être expiré. Demandez un nouveau lien.</translation>
    </message>
    <message>
        <source>The server refuses the connection. It may not be a meeting server.</source>
        <translation>Le serveur refuse la connexion. Ce n’est peut-être pas un serveur de réunions.</translation>
    </message>
    <message>
        <source>The server refuses the phone connection. It may not be a Wazo server.</source>
        <translation>Le serveur refuse la connexion téléphonique. Ce n’est peut-être pas un serveur Wazo.</translation>
    </message>
    <message>
        <source>The server refuses this address or token. Ask the organiser for a new link.</source>
        <translation>Le serveur refuse cette adresse ou ce jeton. Demandez un nouveau lien à l’organisateur.</translation>
    </message>
    <message>
        <source>The server sent an answer that is too large to be a meeting server&apos;s.</source>
        <translation>Le serveur a envoyé une réponse trop longue pour un serveur de réunions.</translation>
    </message>
    <message>
        <source>The server sent an answer that is too large.</source>
        <translation>Le serveur a envoyé une réponse trop grande.</translation>
    </message>
    <message>
        <source>The server&apos;s answer makes no sense. It may not be a Wazo server.</source>
        <translation>La réponse du serveur est incompréhensible. Ce n’est peut-être pas un serveur Wazo.</translation>
    </message>
    <message>
        <source>The server&apos;s certificate is not trusted. Ask its operator, or accept the certificate.</source>
        <translation>Le certificat du serveur n’est pas reconnu. Demandez à son responsable ou acceptez le certificat.</translation>
    </message>
    <message>
        <source>The server&apos;s configuration cannot be read. It may not be a Jitsi server.</source>
        <translation>La configuration du serveur est illisible. Ce n’est peut-être pas un serveur Jitsi.</translation>
    </message>
    <message>
        <source>The service is going down for maintenance. Try again later.</source>
        <translation>Le service s’arrête pour maintenance. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>The source has no media.</source>
        <translation>La source ne contient ni son ni image.</translation>
    </message>
    <message>
        <source>The system&apos;s password store cannot be used ({error}); passwords are kept until you quit.</source>
        <translation>Le trousseau du système est inutilisable ({error}) ; les mots de passe sont conservés jusqu’à ce que vous quittiez.</translation>
    </message>
    <message>
        <source>The system&apos;s password store does not answer; passwords are kept until you quit.</source>
        <translation>Le trousseau du système ne répond pas ; les mots de passe sont conservés jusqu’à ce que vous quittiez.</translation>
    </message>
    <message>
        <source>The system&apos;s password store failed; passwords are kept until you quit.</source>
        <translation>Le trousseau du système a échoué ; les mots de passe sont conservés jusqu’à ce que vous quittiez.</translation>
    </message>
    <message>
        <source>The token of this link is not for this meeting. Ask for a new link.</source>
        <translation>Le jeton de ce lien n’est pas pour cette réunion. Demandez un nouveau lien.</translation>
    </message>
    <message>
        <source>The transfer failed. The call is still here.</source>
        <translation>Le transfert a échoué. L’appel est toujours là.</translation>
    </message>
    <message>
        <source>The user name or password is wrong. Try again.</source>
        <translation>Le nom d’utilisateur ou le mot de passe est faux. Réessayez.</translation>
    </message>
    <message>
        <source>The window does not answer.</source>
        <translation>La fenêtre ne répond pas.</translation>
    </message>
    <message>
        <source>There is no Wazo server at this address. Check the server address.</source>
        <translation>Il n’y a pas de serveur Wazo à cette adresse. Vérifiez l’adresse du serveur.</translation>
    </message>
    <message>
        <source>There is no display to share.</source>
        <translation>Il n’y a pas d’écran à partager.</translation>
    </message>
    <message>
        <source>There is no meeting server at this address. Check the link.</source>
        <translation>Il n’y a pas de serveur de réunions à cette adresse. Vérifiez le lien.</translation>
    </message>
    <message>
        <source>There is no transfer to complete.</source>
        <translation>Il n’y a pas de transfert à terminer.</translation>
    </message>
    <message>
        <source>There is no transfer under way.</source>
        <translation>Aucun transfert n’est en cours.</translation>
    </message>
    <message>
        <source>There is nothing to change.</source>
        <translation>Il n’y a rien à changer.</translation>
    </message>
    <message>
        <source>There is nothing to send.</source>
        <translation>Il n’y a rien à envoyer.</translation>
    </message>
    <message>
        <source>This call is being transferred already.</source>
        <translation>Cet appel est déjà en cours de transfert.</translation>
    </message>
    <message>
        <source>This call is not part of a conference.</source>
        <translation>Cet appel ne fait pas partie d’une conférence.</translation>
    </message>
    <message>
        <source>This is already so, or clashes with something else.</source>
        <translation>C’est déjà le cas, ou en conflit avec autre chose.</translation>
    </message>
    <message>
        <source>This is not a complete number. Check it and try again.</source>
        <translation>Ce numéro n’est pas complet. Vérifiez-le et réessayez.</translation>
    </message>
    <message>
        <source>This is not a link to a meeting.</source>
        <translation>Ce n’est pas un lien de réunion.</translation>
    </message>
    <message>
        <source>This is not a meeting address. Check the link and try again.</source>
        <translation>Ce n’est pas une adresse de réunion. Vérifiez le lien et réessayez.</translation>
    </message>
    <message>
        <source>This is not a meeting link or room name.</source>
        <translation>Ce n’est ni un lien de réunion ni un nom de salle.</translation>
    </message>
    <message>
        <source>This is not a server address. Check it and try again.</source>
        <translation>Ce n’est pas une adresse de serveur. Vérifiez-la et réessayez.</translation>
    </message>
    <message>
        <source>This line is in use in too many places. Sign out on another device.</source>
        <translation>Cette ligne est utilisée à trop d’endroits. Déconnectez-vous sur un autre appareil.</translation>
    </message>
    <message>
        <source>This meeting cannot be locked with a password.</source>
        <translation>Cette réunion ne peut pas être verrouillée par un mot de passe.</translation>
    </message>
    <message>
        <source>This meeting does not offer that.</source>
        <translation>Cette réunion n’offre pas cela.</translation>
    </message>
    <message>
        <source>This meeting has a lobby, which Parley cannot wait in yet. Ask the host for the meeting password.</source>
        <translation>Cette réunion a une salle d’attente, que Parley ne gère pas encore. Demandez le mot de passe de la réunion à l’hôte.</translation>
    </message>
    <message>
        <source>This meeting is over.</source>
        <translation>Cette réunion est terminée.</translation>
    </message>
    <message>
        <source>This meeting needs a password.</source>
        <translation>Cette réunion demande un mot de passe.</translation>
    </message>
    <message>
        <source>This message was retracted.</source>
        <translation>Ce message a été retiré.</translation>
    </message>
    <message>
        <source>This number does not exist. Check it and try again.</source>
        <translation>Ce numéro n’existe pas. Vérifiez-le et réessayez.</translation>
    </message>
    <message>
        <source>This number has changed. Ask for the new one.</source>
        <translation>Ce numéro a changé. Demandez le nouveau.</translation>
    </message>
    <message>
        <source>This person has left the meeting.</source>
        <translation>Cette personne a quitté la réunion.</translation>
    </message>
    <message>
        <source>This person has left.</source>
        <translation>Cette personne est partie.</translation>
    </message>
    <message>
        <source>This server does not offer that.</source>
        <translation>Ce serveur ne propose pas cela.</translation>
    </message>
    <message>
        <source>This server does not offer this function.</source>
        <translation>Ce serveur ne propose pas cette fonction.</translation>
    </message>
    <message>
        <source>This server has no single sign-on for your domain. Sign in with a password.</source>
        <translation>Ce serveur n’a pas d’authentification unique pour votre domaine. Connectez-vous avec un mot de passe.</translation>
    </message>
    <message>
        <source>This source is no longer in use.</source>
        <translation>Cette source n’est plus utilisée.</translation>
    </message>
    <message>
        <source>This system has no password store; passwords are kept until you quit.</source>
        <translation>Ce système n’a pas de trousseau ; les mots de passe sont conservés jusqu’à ce que vous quittiez.</translation>
    </message>
    <message>
        <source>This text is too long to be a meeting link.</source>
        <translation>Ce texte est trop long pour un lien de réunion.</translation>
    </message>
    <message>
        <source>This version of Parley cannot join this kind of meeting.</source>
        <translation>Cette version de Parley ne peut pas rejoindre ce genre de réunion.</translation>
    </message>
    <message>
        <source>This way of signing in needs a domain. Enter the domain of your organisation.</source>
        <translation>Ce mode de connexion demande un domaine. Saisissez celui de votre organisation.</translation>
    </message>
    <message>
        <source>Too many requests. Wait a moment and try again.</source>
        <translation>Trop de demandes. Patientez un instant et réessayez.</translation>
    </message>
    <message>
        <source>Type a number or pick somebody to call.</source>
        <translation>Saisissez un numéro ou choisissez quelqu’un à appeler.</translation>
    </message>
    <message>
        <source>Type or paste a meeting link or a room name.</source>
        <translation>Saisissez ou collez un lien de réunion ou un nom de salle.</translation>
    </message>
    <message>
        <source>Wait until the other side has answered.</source>
        <translation>Attendez que votre correspondant ait répondu.</translation>
    </message>
    <message>
        <source>Wazo accounts do not have this function.</source>
        <translation>Les comptes Wazo n’ont pas cette fonction.</translation>
    </message>
    <message>
        <source>You are not authorised for this program. Ask your administrator.</source>
        <translation>Vous n’êtes pas autorisé à utiliser ce programme. Demandez à votre administrateur.</translation>
    </message>
    <message>
        <source>You are signed in at too many places. Sign out somewhere, or wait, and try again.</source>
        <translation>Vous êtes connecté à trop d’endroits. Déconnectez-vous quelque part, ou patientez, puis réessayez.</translation>
    </message>
    <message>
        <source>You have been kicked.</source>
        <translation>Vous avez été exclu.</translation>
    </message>
    <message>
        <source>You may not do that in this meeting.</source>
        <translation>Vous ne pouvez pas faire cela dans cette réunion.</translation>
    </message>
    <message>
        <source>You were muted in this room.</source>
        <translation>Votre micro a été coupé dans cette salle.</translation>
    </message>
    <message>
        <source>You were not let into the meeting.</source>
        <translation>On ne vous a pas laissé entrer dans la réunion.</translation>
    </message>
    <message>
        <source>You were removed from the meeting.</source>
        <translation>Vous avez été exclu de la réunion.</translation>
    </message>
    <message>
        <source>You were removed from the room.</source>
        <translation>Vous avez été retiré de la salle.</translation>
    </message>
    <message>
        <source>Your account does not allow that.</source>
        <translation>Votre compte ne le permet pas.</translation>
    </message>
    <message>
        <source>Your account does not have the right to do this. Ask your administrator.</source>
        <translation>Votre compte n’a pas le droit de faire cela. Demandez à votre administrateur.</translation>
    </message>
    <message>
        <source>Your account has no line for calls with this program. Ask your administrator for a WebRTC line.</source>
        <translation>Votre compte n’a pas de ligne pour appeler avec ce programme. Demandez une ligne WebRTC à votre administrateur.</translation>
    </message>
    <message>
        <source>Your line cannot show several people at once. Join with sound only.</source>
        <translation>Votre ligne ne peut pas afficher plusieurs personnes à la fois. Rejoignez avec le son seul.</translation>
    </message>
    <message>
        <source>Your line has no video.</source>
        <translation>Votre ligne n’a pas de vidéo.</translation>
    </message>
    <message>
        <source>Your password is managed outside of this server. Change it there.</source>
        <translation>Votre mot de passe est géré hors de ce serveur. Changez-le là-bas.</translation>
    </message>
    <message>
        <source>Your subscription does not include this program. Ask your administrator.</source>
        <translation>Votre abonnement ne comprend pas ce programme. Demandez à votre administrateur.</translation>
    </message>
    <message>
        <source>{made} contacts were imported, {failed} could not be.</source>
        <translation>{made} contacts ont été importés, {failed} n’ont pas pu l’être.</translation>
    </message>
    <message>
        <source>{value} asks to join your meeting.</source>
        <translation>{value} demande à rejoindre votre réunion.</translation>
    </message>
    <message>
        <source>{vendor} meeting {title} on {server}</source>
        <translation>Réunion {vendor} {title} sur {server}</translation>
    </message>
    <message>
        <source>{who} turned your {what} off.</source>
        <translation>{who} a coupé votre {what}.</translation>
    </message>
</context>
<context>
    <name>settings</name>
    <message>
        <source>General</source>
        <translation>Général</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Son</translation>
    </message>
    <message>
        <source>Video</source>
        <translation>Vidéo</translation>
    </message>
    <message>
        <source>Joining</source>
        <translation>Arrivée</translation>
    </message>
    <message>
        <source>Phone</source>
        <translation>Téléphone</translation>
    </message>
    <message>
        <source>Screen sharing</source>
        <translation>Partage d’écran</translation>
    </message>
    <message>
        <source>Notifications</source>
        <translation>Notifications</translation>
    </message>
    <message>
        <source>Keyboard</source>
        <translation>Clavier</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Réseau</translation>
    </message>
    <message>
        <source>Privacy</source>
        <translation>Confidentialité</translation>
    </message>
    <message>
        <source>Diagnostics</source>
        <translation>Diagnostic</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Votre nom</translation>
    </message>
    <message>
        <source>Shown to others in a meeting.</source>
        <translation>Visible par les autres dans une réunion.</translation>
    </message>
    <message>
        <source>E-mail address</source>
        <translation>Adresse électronique</translation>
    </message>
    <message>
        <source>Optional. Meetings may show it.</source>
        <translation>Facultative. Les réunions peuvent l’afficher.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Langue</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Comme le système</translation>
    </message>
    <message>
        <source>English</source>
        <translation>English</translation>
    </message>
    <message>
        <source>Français</source>
        <translation>Français</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Thème</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Clair</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Sombre</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>Animations</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Toujours</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Jamais</translation>
    </message>
    <message>
        <source>Meeting server</source>
        <translation>Serveur de réunions</translation>
    </message>
    <message>
        <source>Used when you type only a room name.</source>
        <translation>Utilisé quand vous ne saisissez qu’un nom de salle.</translation>
    </message>
    <message>
        <source>Remember recent meetings</source>
        <translation>Se souvenir des réunions récentes</translation>
    </message>
    <message>
        <source>Keep the screen on during a call</source>
        <translation>Garder l’écran allumé pendant un appel</translation>
    </message>
    <message>
        <source>The system does not dim or lock the screen while you are in a meeting.</source>
        <translation>Le système n’assombrit ni ne verrouille l’écran pendant une réunion.</translation>
    </message>
    <message>
        <source>Layout at the start of a meeting</source>
        <translation>Disposition au début d’une réunion</translation>
    </message>
    <message>
        <source>Speaker</source>
        <translation>Haut-parleur</translation>
    </message>
    <message>
        <source>Gallery</source>
        <translation>Galerie</translation>
    </message>
    <message>
        <source>Mirror my own picture</source>
        <translation>Afficher mon image en miroir</translation>
    </message>
    <message>
        <source>Show my own picture</source>
        <translation>Afficher ma propre image</translation>
    </message>
    <message>
        <source>Show people without video</source>
        <translation>Afficher les personnes sans vidéo</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>Micro</translation>
    </message>
    <message>
        <source>Remove echo</source>
        <translation>Supprimer l’écho</translation>
    </message>
    <message>
        <source>Keeps the sound of your loudspeaker out of your microphone.</source>
        <translation>Évite que le son de votre haut-parleur passe dans votre micro.</translation>
    </message>
    <message>
        <source>Reduce background noise</source>
        <translation>Réduire le bruit de fond</translation>
    </message>
    <message>
        <source>Adjust microphone volume automatically</source>
        <translation>Régler automatiquement le volume du micro</translation>
    </message>
    <message>
        <source>Remove rumble</source>
        <translation>Supprimer les basses parasites</translation>
    </message>
    <message>
        <source>Show level meters and speaking marks</source>
        <translation>Afficher les niveaux et les marques de parole</translation>
    </message>
    <message>
        <source>Synchronise sound and picture</source>
        <translation>Synchroniser le son et l’image</translation>
    </message>
    <message>
        <source>Warn me when I talk while muted</source>
        <translation>M’avertir quand je parle micro coupé</translation>
    </message>
    <message>
        <source>Warn me when the microphone is silent</source>
        <translation>M’avertir quand le micro est muet</translation>
    </message>
    <message>
        <source>Warn me when the microphone is noisy</source>
        <translation>M’avertir quand le micro est bruyant</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Caméra</translation>
    </message>
    <message>
        <source>Camera resolution</source>
        <translation>Résolution de la caméra</translation>
    </message>
    <message>
        <source>320 × 180</source>
        <translation>320 × 180</translation>
    </message>
    <message>
        <source>640 × 360</source>
        <translation>640 × 360</translation>
    </message>
    <message>
        <source>1280 × 720</source>
        <translation>1280 × 720</translation>
    </message>
    <message>
        <source>1920 × 1080</source>
        <translation>1920 × 1080</translation>
    </message>
    <message>
        <source>Preferred camera side</source>
        <translation>Côté préféré de la caméra</translation>
    </message>
    <message>
        <source>For tablets and notebooks with two cameras, while no camera is chosen.</source>
        <translation>Pour les tablettes et portables à deux caméras, tant qu’aucune caméra n’est choisie.</translation>
    </message>
    <message>
        <source>No preference</source>
        <translation>Sans préférence</translation>
    </message>
    <message>
        <source>Front</source>
        <translation>Avant</translation>
    </message>
    <message>
        <source>Rear</source>
        <translation>Arrière</translation>
    </message>
    <message>
        <source>Maximum frame rate</source>
        <translation>Fréquence d’images maximale</translation>
    </message>
    <message>
        <source>fps</source>
        <translation>i/s</translation>
    </message>
    <message>
        <source>Minimum frame rate</source>
        <translation>Fréquence d’images minimale</translation>
    </message>
    <message>
        <source>Send quality</source>
        <translation>Qualité d’envoi</translation>
    </message>
    <message>
        <source>Upper bound for the picture you send.</source>
        <translation>Limite supérieure de l’image que vous envoyez.</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>Sans limite</translation>
    </message>
    <message>
        <source>180 lines</source>
        <translation>180 lignes</translation>
    </message>
    <message>
        <source>360 lines</source>
        <translation>360 lignes</translation>
    </message>
    <message>
        <source>720 lines</source>
        <translation>720 lignes</translation>
    </message>
    <message>
        <source>1080 lines</source>
        <translation>1080 lignes</translation>
    </message>
    <message>
        <source>Receive quality</source>
        <translation>Qualité de réception</translation>
    </message>
    <message>
        <source>Upper bound for each picture you receive.</source>
        <translation>Limite supérieure de chaque image reçue.</translation>
    </message>
    <message>
        <source>Number of videos received</source>
        <translation>Nombre de vidéos reçues</translation>
    </message>
    <message>
        <source>-1 receives all that are on screen; 0 none.</source>
        <translation>-1 reçoit toutes celles qui sont à l’écran&#x202f;; 0 aucune.</translation>
    </message>
    <message>
        <source>Preferred codec</source>
        <translation>Codec préféré</translation>
    </message>
    <message>
        <source>VP8</source>
        <translation>VP8</translation>
    </message>
    <message>
        <source>H.264</source>
        <translation>H.264</translation>
    </message>
    <message>
        <source>Never use this codec</source>
        <translation>Ne jamais utiliser ce codec</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Aucun</translation>
    </message>
    <message>
        <source>Start bit rate</source>
        <translation>Débit de départ</translation>
    </message>
    <message>
        <source>kbit/s</source>
        <translation>kbit/s</translation>
    </message>
    <message>
        <source>Maximum bit rate</source>
        <translation>Débit maximal</translation>
    </message>
    <message>
        <source>Join with the microphone off</source>
        <translation>Rejoindre micro coupé</translation>
    </message>
    <message>
        <source>Join with the camera off</source>
        <translation>Rejoindre caméra coupée</translation>
    </message>
    <message>
        <source>Join without video</source>
        <translation>Rejoindre sans vidéo</translation>
    </message>
    <message>
        <source>Neither sends nor receives pictures; saves power and bandwidth.</source>
        <translation>N’envoie ni ne reçoit d’images&#x202f;; économise l’énergie et le débit.</translation>
    </message>
    <message>
        <source>Join without sound</source>
        <translation>Rejoindre sans le son</translation>
    </message>
    <message>
        <source>Neither sends nor plays sound, for a second device in the same room.</source>
        <translation>N’envoie ni ne joue de son, pour un second appareil dans la même pièce.</translation>
    </message>
    <message>
        <source>Ignore mute on entry</source>
        <translation>Ignorer la coupure à l’arrivée</translation>
    </message>
    <message>
        <source>Keeps your microphone and camera as you chose them when a meeting mutes newcomers.</source>
        <translation>Garde votre micro et votre caméra comme vous les avez choisis quand une réunion coupe ceux des nouveaux venus.</translation>
    </message>
    <message>
        <source>Ring on</source>
        <translation>Sonner sur</translation>
    </message>
    <message>
        <source>So that you hear it ring with the headset put down.</source>
        <translation>Pour entendre sonner même quand le casque est posé.</translation>
    </message>
    <message>
        <source>Ring volume</source>
        <translation>Volume de la sonnerie</translation>
    </message>
    <message>
        <source>0 rings silently.</source>
        <translation>0 : sonnerie silencieuse.</translation>
    </message>
    <message>
        <source>%</source>
        <translation>%</translation>
    </message>
    <message>
        <source>Ringtone</source>
        <translation>Sonnerie</translation>
    </message>
    <message>
        <source>Parley</source>
        <translation>Parley</translation>
    </message>
    <message>
        <source>Classic</source>
        <translation>Classique</translation>
    </message>
    <message>
        <source>Soft</source>
        <translation>Douce</translation>
    </message>
    <message>
        <source>Call waiting tone</source>
        <translation>Tonalité d’appel en attente</translation>
    </message>
    <message>
        <source>A quiet tone tells of another call while you are talking.</source>
        <translation>Une tonalité discrète signale un autre appel pendant que vous parlez.</translation>
    </message>
    <message>
        <source>Answer automatically</source>
        <translation>Décrocher automatiquement</translation>
    </message>
    <message>
        <source>Never while you are in another call or do not want to be disturbed.</source>
        <translation>Jamais pendant un autre appel, ni en mode « ne pas déranger ».</translation>
    </message>
    <message>
        <source>When the caller&apos;s phone system asks for it</source>
        <translation>Quand le système téléphonique de l’appelant le demande</translation>
    </message>
    <message>
        <source>Always, after a second</source>
        <translation>Toujours, après une seconde</translation>
    </message>
    <message>
        <source>Stay signed in</source>
        <translation>Rester connecté</translation>
    </message>
    <message>
        <source>Sign-in lasts</source>
        <translation>Durée de la connexion</translation>
    </message>
    <message>
        <source>It is renewed by itself before it ends.</source>
        <translation>Elle est renouvelée d’elle-même avant son terme.</translation>
    </message>
    <message>
        <source>h</source>
        <translation>h</translation>
    </message>
    <message>
        <source>Send keypad tones</source>
        <translation>Envoi des tonalités du clavier</translation>
    </message>
    <message>
        <source>In the sound (RFC 4733)</source>
        <translation>Dans le son (RFC 4733)</translation>
    </message>
    <message>
        <source>As messages (SIP INFO)</source>
        <translation>Par messages (SIP INFO)</translation>
    </message>
    <message>
        <source>Allow screen sharing</source>
        <translation>Autoriser le partage d’écran</translation>
    </message>
    <message>
        <source>Optimise for</source>
        <translation>Optimiser pour</translation>
    </message>
    <message>
        <source>Text (sharp)</source>
        <translation>Texte (net)</translation>
    </message>
    <message>
        <source>Video (smooth)</source>
        <translation>Vidéo (fluide)</translation>
    </message>
    <message>
        <source>When somebody joins or leaves</source>
        <translation>Quand quelqu’un arrive ou part</translation>
    </message>
    <message>
        <source>When a message arrives</source>
        <translation>Quand un message arrive</translation>
    </message>
    <message>
        <source>When somebody raises a hand</source>
        <translation>Quand quelqu’un lève la main</translation>
    </message>
    <message>
        <source>Show reactions</source>
        <translation>Afficher les réactions</translation>
    </message>
    <message>
        <source>Sounds with reactions</source>
        <translation>Sons avec les réactions</translation>
    </message>
    <message>
        <source>Sounds for joins, messages and hands</source>
        <translation>Sons pour les arrivées, les messages et les mains levées</translation>
    </message>
    <message>
        <source>Single-letter shortcuts</source>
        <translation>Raccourcis d’une seule lettre</translation>
    </message>
    <message>
        <source>M mutes, V turns the camera on or off … Never while you type in a field.</source>
        <translation>M coupe le micro, V active ou coupe la caméra… Jamais pendant que vous écrivez dans un champ.</translation>
    </message>
    <message>
        <source>Hold Space to talk while muted</source>
        <translation>Maintenir Espace pour parler micro coupé</translation>
    </message>
    <message>
        <source>Use IPv6</source>
        <translation>Utiliser IPv6</translation>
    </message>
    <message>
        <source>Use relay servers</source>
        <translation>Utiliser des serveurs relais</translation>
    </message>
    <message>
        <source>STUN and TURN servers that the meeting server names. There is never a public one.</source>
        <translation>Serveurs STUN et TURN indiqués par le serveur de réunions. Jamais un serveur public.</translation>
    </message>
    <message>
        <source>TURN over UDP</source>
        <translation>TURN sur UDP</translation>
    </message>
    <message>
        <source>Retransmission</source>
        <translation>Retransmission</translation>
    </message>
    <message>
        <source>Asks again for lost packets of a picture.</source>
        <translation>Redemande les paquets perdus d’une image.</translation>
    </message>
    <message>
        <source>Server address</source>
        <translation>Adresse du serveur</translation>
    </message>
    <message>
        <source>Address of the XMPP service (wss:// or https://…/http-bind) when a server does not publish it.</source>
        <translation>Adresse du service XMPP (wss:// ou https://…/http-bind) quand un serveur ne la publie pas.</translation>
    </message>
    <message>
        <source>Domain</source>
        <translation>Domaine</translation>
    </message>
    <message>
        <source>Rooms domain</source>
        <translation>Domaine des salles</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>Certificats de confiance</translation>
    </message>
    <message>
        <source>Servers whose certificate you accepted yourself, each as “host fingerprint”.</source>
        <translation>Serveurs dont vous avez vous-même accepté le certificat, sous la forme «&#x202f;hôte empreinte&#x202f;».</translation>
    </message>
    <message>
        <source>No third-party requests</source>
        <translation>Aucune requête vers des tiers</translation>
    </message>
    <message>
        <source>No server but the meeting&apos;s own is asked for anything, such as the delay to other regions.</source>
        <translation>Aucun autre serveur que celui de la réunion n’est interrogé, par exemple pour le délai vers d’autres régions.</translation>
    </message>
    <message>
        <source>Tell others my connection quality</source>
        <translation>Indiquer aux autres la qualité de ma connexion</translation>
    </message>
    <message>
        <source>Log level</source>
        <translation>Niveau du journal</translation>
    </message>
    <message>
        <source>Trace</source>
        <translation>Trace</translation>
    </message>
    <message>
        <source>Debug</source>
        <translation>Débogage</translation>
    </message>
    <message>
        <source>Info</source>
        <translation>Information</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Journal</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Avertissement</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Erreur</translation>
    </message>
    <message>
        <source>Keep a report when the program crashes</source>
        <translation>Garder un rapport quand le programme plante</translation>
    </message>
    <message>
        <source>The report stays on this computer and is shown at the next start.</source>
        <translation>Le rapport reste sur cet ordinateur et s’affiche au prochain démarrage.</translation>
    </message>
    <message>
        <source>Send the log to a log server</source>
        <translation>Envoyer le journal à un serveur</translation>
    </message>
    <message>
        <source>Without passwords, tokens and texts of messages.</source>
        <translation>Sans mots de passe, jetons ni textes de messages.</translation>
    </message>
    <message>
        <source>A fluentd HTTP input, for example logs.example.org/parley (HTTPS) or localhost:9880/parley (HTTP).</source>
        <translation>Une entrée HTTP fluentd, par exemple logs.example.org/parley (HTTPS) ou localhost:9880/parley (HTTP).</translation>
    </message>
    <message>
        <source>Log server</source>
        <translation>Serveur de journaux</translation>
    </message>
    <message>
        <source>Off: you sign in at every start. A token is kept in the system&apos;s password store, never your password.</source>
        <translation>Désactivé : vous vous connectez à chaque démarrage. Un jeton est conservé dans le trousseau du système, jamais votre mot de passe.</translation>
    </message>
    <message>
        <source>Transfer calls</source>
        <translation>Transfert d’appels</translation>
    </message>
    <message>
        <source>In the call (SIP REFER)</source>
        <translation>Dans l’appel (SIP REFER)</translation>
    </message>
    <message>
        <source>By the server</source>
        <translation>Par le serveur</translation>
    </message>
    <message>
        <source>Ping interval</source>
        <translation>Intervalle des pings</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>Ping timeout</source>
        <translation>Délai des pings</translation>
    </message>
</context>
</TS>
